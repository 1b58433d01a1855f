#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Vitals: what pages of synthetic shoppers tell, as web-vitals tells it,
# against figures that this file works out from it; told again, replayed, and
# kept over a reload, a restart, a kill and in uxctl report.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Copy ();
use File::Temp ();
use JSON::PP ();
use POSIX qw(ceil);
use Test::More;
use UxProcesses;
use UxShopper;
use UxTest;

use constant { SHOPPERS => 60, ERROR => 0.016, REPLAYS => 1000 };

my @METRICS = qw(LCP INP CLS FCP TTFB);

# good up to, poor above
my %LIMITS = (LCP => [ 2500, 4000 ], INP => [ 200, 500 ], CLS => [ 0.1, 0.25 ],
    FCP => [ 1800, 3000 ], TTFB => [ 800, 1800 ]);

my @JSON = ('Content-Type' => 'application/json');
my $json = JSON::PP->new->canonical;
my $snapshots = File::Temp->newdir('uxtest-XXXXXX', TMPDIR => 1);
my $t = Ux::nginx(conf => conf(), vars => { STATE => "$snapshots/state" })
    ->start;

my %variant;                # shopper => experiment => variant
my %last;                   # shopper => page view => metric => value

nothing_yet();
shop($_) for 1 .. SHOPPERS;
figures();
help();
replayed();
the_sender_alone();
refused();
elsewhere();
kept();
$t->no_alerts;
killed();
$t->no_alerts('kill: no alerts');

done_testing();


sub conf
{
    my ($more) = @_;

    $more ||= '';

    return <<"CONF";
    ux_zone shop 8m snapshot=%%STATE%% interval=100ms journeys=200ms;
    ux_zone other 1m;
    ux_experiment layout { variant control 1; variant one 1; window off;
        goal purchase; }
    ux_experiment banner { variant control 1; variant red 1; variant blue 1;
        window off; goal purchase; }
    ux_experiment paused { variant control 1; variant b 1; state paused; }
    ux_experiment elsewhere zone=other { variant control 1; variant b 1; }
    $more
    ux_visitor_key \$http_x_key;

    server {
        listen 127.0.0.1:%%PORT%%;

        location / { ux_expose layout paused;
            add_header X-Variant \$ux_variant_layout; return 200 page; }
        location /banner { ux_expose banner;
            add_header X-Variant \$ux_variant_banner; return 200 page; }
        location /elsewhere { ux_expose elsewhere; return 200 page; }
        location = /beacon { ux_collect; }
        location /uxstats { ux_stats; }
    }
CONF
}


sub page
{
    my ($who, $path, $experiment) = @_;

    my $r = $t->get($path, 'X-Key' => $who, Accept => 'text/html');

    $variant{$who}{$experiment} = $r->header('X-Variant');

    return;
}


# The metric's object, as the library makes it.
sub metric
{
    my ($id, $name, $value, $delta) = @_;

    my $limits = $LIMITS{$name};

    return { name => $name, value => $value + 0, delta => $delta + 0,
        id => $id, navigationType => 'navigate', entries => [ {
            entryType => 'x', startTime => 1.5, name => '' } ],
        rating => $value <= $limits->[0] ? 'good'
            : $value <= $limits->[1] ? 'needs-improvement' : 'poor' };
}


sub beacon
{
    my ($who, @objects) = @_;

    my $r = $t->post('/beacon', $json->encode(@objects == 1 ? $objects[0]
        : \@objects), @JSON, 'X-Key' => $who);

    return $r->status == 204 || die 'a beacon: ' . $r->status . "\n";
}


# A value with many digits, some of them on a threshold.
sub value
{
    my ($name, $chance) = @_;

    my ($good, $poor) = @{ $LIMITS{$name} };

    return $good if $chance < 0.1;
    return $poor if $chance > 0.95;

    return $poor * 1.4 * $chance ** 2 + 0.0037;
}


# A few page views: LCP, FCP and TTFB once, CLS and INP as they grow.
sub shop
{
    my ($n) = @_;

    my $who = "s$n";
    my $chance = sub { UxShopper::chance("$_[0]", $n) };

    page($who, '/', 'layout');
    page($who, '/banner', 'banner') if $chance->('banner') < 0.5;

    for my $k (1 .. 1 + int 3 * $chance->('pages')) {
        my $id = "v5-17000000$n-$k";
        my $told = $last{$who}{$k} = {};
        my @first;

        for my $name (grep { $chance->("$k $_?") < 0.9 } @METRICS) {
            $told->{$name} = value($name, $chance->("$k $name"));
            push @first, metric("$id-$name", $name, $told->{$name},
                $told->{$name});
        }

        beacon($who, @first) if @first;

        for my $name (grep { defined $told->{$_} } qw(CLS INP)) {
            for my $more (1 .. int 4 * $chance->("$k $name more")) {
                my $delta = $told->{$name} * $chance->("$k $name $more");
                $told->{$name} += $delta;
                beacon($who, metric("$id-$name", $name, $told->{$name},
                    $delta));
            }
        }
    }

    return;
}


sub nothing_yet
{
    my $stats = $t->stats('/zones');
    my %empty = (count => 0, good => 0, needs_improvement => 0, poor => 0,
        good_share => undef, p75 => undef, rating => undef);
    my $all = { map { $_ => { %empty, unit => $_ eq 'CLS' ? 'score'
        : 'ms' } } @METRICS };

    is_deeply($stats->{$_}{vitals}, $all, "$_: none yet, all there")
        for qw(shop other);
    is_deeply($stats->{other}{experiments}{elsewhere}{variants}{b}{vitals},
        $all, 'and of a variant');

    return;
}


sub figures
{
    my $zone = $t->stats('/zones/shop');

    same('zone', $zone->{vitals}, sub { 1 });

    for my $name (qw(control one)) {
        same("layout $name",
            $zone->{experiments}{layout}{variants}{$name}{vitals},
            sub { $variant{ $_[0] }{layout} eq $name });
    }

    for my $name (qw(control red blue)) {
        same("banner $name",
            $zone->{experiments}{banner}{variants}{$name}{vitals},
            sub { ($variant{ $_[0] }{banner} || '') eq $name });
    }

    is($zone->{experiments}{paused}{variants}{control}{vitals}{LCP}{count}, 0,
        'a paused experiment counts none');
    is_deeply([ grep { $zone->{discarded}{$_} }
        keys %{ $zone->{discarded} } ], [], 'nothing was discarded');

    return;
}


sub same
{
    my ($what, $got, $is) = @_;

    for my $name (@METRICS) {
        my ($good, $poor) = @{ $LIMITS{$name} };
        my @values = sort { $a <=> $b } map {
            my $who = $_;
            map { defined $_->{$name} ? $_->{$name} : () }
                values %{ $last{$who} };
        } grep { $is->($_) } keys %last;
        my $n = @values;
        my @rated = ((grep { $_ <= $good } @values) + 0,
            (grep { $_ > $good && $_ <= $poor } @values) + 0,
            (grep { $_ > $poor } @values) + 0);
        my $p75 = $values[ceil(0.75 * $n) - 1];
        my $has = $got->{$name};

        cmp_ok($n, '>', 8, "$what: $name: enough of them");
        is_deeply([ @$has{qw(count good needs_improvement poor)} ],
            [ $n, @rated ], "$what: $name: counts");
        cmp_ok(abs($has->{p75} - $p75), '<=', ERROR * $p75,
            "$what: $name: p75 $has->{p75} of $p75");
        is($has->{rating}, $p75 <= $good ? 'good'
            : $p75 <= $poor ? 'needs_improvement' : 'poor',
            "$what: $name: rating");
        cmp_ok(abs($has->{good_share} - $rated[0] / $n), '<', 1e-12,
            "$what: $name: good_share");
    }

    return;
}


sub help
{
    my $help = $t->stats('/help');

    ok($help->{$_}, "help: $_")
        for qw(vitals vitals.good vitals.poor vitals.p75 vitals.rating);
    like($help->{'vitals.good'}, qr/\b\Q$LIMITS{$_}[0]\E\b/,
        "help: $_ is good up to") for @METRICS;
    like($help->{'vitals.poor'}, qr/\b\Q$LIMITS{$_}[1]\E\b/,
        "help: $_ is poor above") for @METRICS;

    return;
}


# All that counts of vitals, of the zone and of the variants.
sub vitals
{
    my ($from) = @_;

    my $zone = $from ? $from->{zones}{shop} : $t->stats('/zones/shop');

    return { zone => $zone->{vitals}, map { my $e = $_; map {
        ("$e $_" => $zone->{experiments}{$e}{variants}{$_}{vitals})
    } keys %{ $zone->{experiments}{$e}{variants} } } qw(layout banner) };
}


sub replayed
{
    my $who = 's1';

    beacon($who, map { metric("replay-$_", $_, 3, 3) } @METRICS);
    beacon($who, metric('replay-CLS', 'CLS', 4, 1));

    my $before = vitals();
    my $duplicates = $t->stats('/zones/shop/discarded')->{duplicate};
    my $c = $t->connection;
    my $body = $json->encode([ map { metric("replay-$_", $_, 3, 3) }
        @METRICS ]);
    my $wrong = 0;

    for (1 .. REPLAYS) {
        my $r = $c->request('POST', '/beacon', [ @JSON, 'X-Key' => $who ],
            $body);
        $wrong++ unless $r && $r->status == 204;
    }

    is($wrong, 0, 'a beacon replayed ' . REPLAYS . ' times: answered');
    is_deeply(vitals(), $before, 'and nothing counts again');
    is($t->stats('/zones/shop/discarded')->{duplicate},
        $duplicates + @METRICS * REPLAYS, 'each told as a duplicate');

    return;
}


# Whatever id and visitor the body names.
sub the_sender_alone
{
    page($_, '/', 'layout') for qw(alice bob);

    my $count = sub { vitals()->{zone}{LCP}{count} };
    my $before = $count->();

    beacon('alice', metric('one-id', 'LCP', 100, 100));
    beacon('bob', metric('one-id', 'LCP', 100, 100));
    is($count->(), $before + 2, 'an id of two visitors is two');

    my $of = sub { vitals()->{"layout $variant{$_[0]}{layout}"}{LCP}{poor} };
    my $poor = $of->('bob');

    $t->post('/beacon', $json->encode({ %{ metric('named', 'LCP', 9000,
        9000) }, visitor => 'bob' }), @JSON, 'X-Key' => 'alice');

    is($of->('alice'), $variant{alice}{layout} eq $variant{bob}{layout}
        ? $poor + 1 : $of->('alice'), 'counted for the sender');
    is($of->('bob'), $variant{alice}{layout} eq $variant{bob}{layout}
        ? $poor + 1 : $poor, 'whomever it names');

    return;
}


sub refused
{
    my $before = vitals();

    for my $body ('{"name":"LCP","value":null,"id":"x"}',
        '{"name":"CLS","value":-0.1,"id":"x"}', '{"name":"FID","value":1}',
        '{"name":"LCP","value":1e300,"id":"x"}',
        '{"name":"LCP","value":"x","id":"x"}',
        '{"name":"LCP","value":1,"delta":"x","id":"x"}', '{"name":"LCP"}')
    {
        is($t->post('/beacon', $body, @JSON, 'X-Key' => 's1')->status, 204,
            "answered: $body");
    }

    is_deeply(vitals(), $before, 'nothing of them counts');

    $t->post('/beacon', $json->encode(metric('nobody', 'LCP', 1, 1)), @JSON,
        'X-Key' => 'a stranger');
    is_deeply(vitals(), $before, 'nor of somebody without a record');

    return;
}


# No location takes beacons for the other zone.
sub elsewhere
{
    page('alice', '/elsewhere', 'elsewhere');
    beacon('alice', metric('elsewhere', 'LCP', 100, 100));
    is($t->stats('/zones/other/vitals/LCP')->{count}, 0,
        'a zone that collects nothing has none');

    return;
}


sub kept
{
    my $before = vitals();

    $t->reload(conf => conf('ux_experiment more { variant control 1;
        variant b 1; }'));
    is_deeply(vitals(), $before, 'reload: kept');

    $t->stop;

    my ($status, $text) = Ux::uxctl([ 'report', '--json',
        "$snapshots/state" ]);
    is($status, 0, 'uxctl report');
    is_deeply(vitals($json->decode($text)), $before,
        'uxctl report: the same');

    $t->start;
    is_deeply(vitals(), $before, 'restart: kept');

    my $key = "layout $variant{s1}{layout}";
    beacon('s1', metric('replay-CLS', 'CLS', 3, 3));
    is_deeply(vitals(), $before, 'restart: a replay from before it is one');
    beacon('s1', metric('replay-CLS', 'CLS', 4.9, 0.9));
    is(vitals()->{$key}{CLS}{count}, $before->{$key}{CLS}{count},
        'restart: what is told again replaces');

    return;
}


# What is told around a kill may be lost, but counts once when it comes again:
# counters are saved more often than records, and vitals belong to these.
sub killed
{
    my $state = "$snapshots/killed";
    my $k = Ux::nginx(conf => conf() =~ s/journeys=200ms/journeys=1h/r,
        vars => { STATE => $state })->start;
    my $again = metric('killed', 'LCP', 3000, 2000);

    $t = $k;
    page('kim', '/', 'layout');
    beacon('kim', metric('killed', 'LCP', 1000, 1000));
    $t->stop;
    $t->start;
    is(vitals()->{zone}{LCP}{good}, 1, 'kill: the first report is saved');
    beacon('kim', $again);

    ok(Ux::wait_until(sub { saved($state) }), 'kill: counters are saved');

    $t->kill_tree;
    $t->start;
    beacon('kim', $again);

    for my $name ('zone', "layout $variant{kim}{layout}") {
        my $lcp = vitals()->{$name}{LCP};

        is_deeply([ @$lcp{qw(count good needs_improvement poor)} ],
            [ 1, 0, 1, 0 ], "kill: $name: one, as it was told last");
        cmp_ok(abs($lcp->{p75} - 3000), '<=', 3000 * ERROR,
            "kill: $name: and nowhere else");
    }

    return;
}


# Does the file of counters, alone, have the second report?
sub saved
{
    my ($state) = @_;

    my $alone = File::Temp->newdir('uxtest-XXXXXX', TMPDIR => 1);
    my ($file) = glob "$state/shop.*.counters";

    File::Copy::copy($file, "$alone") or return 0;

    my ($status, $text) = Ux::uxctl([ 'report', '--json', "$alone" ]);

    return $status == 0
        && vitals($json->decode($text))->{zone}{LCP}{needs_improvement};
}
