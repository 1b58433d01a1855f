#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# ux_segment: synthetic shoppers of known devices against figures that this
# file works out from what it had them do.  Over the values of a segment every
# count adds up to the variant's own.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(sum0);
use Test::More;
use UxFigures;
use UxShopper;
use UxTest;


use constant { SHOPPERS => 240, CENT => 100 };

my @DEVICES = qw(phone tablet desktop);
my %PATH = (view_item => '/', add_to_cart => '/cart',
    begin_checkout => '/checkout', purchase => '/pay');

my %did;            # shopper => { variant, device, visit, events, ... }
my $t;

configurations();

$t = Ux::nginx(workers => 2, conf => conf())->start;

play($_) for 1 .. SHOPPERS;
compare('first');
adds_up('shoppers');

fixed_at_the_exposure();
hostile_values();
new_and_returning();
crossovers();
compare('after crossovers');

help();
restart();
reloads();
exposed_before();
effects();
weights();

done_testing();


sub conf
{
    my (%option) = @_;

    my $segments = exists $option{segments} ? $option{segments} : <<'CONF';
    ux_segment device $http_x_device phone tablet desktop;
    ux_segment visit $visit new returning;
CONF

    my $one = $option{one} || 1;
    my $traffic = $option{traffic} || '100%';

    return <<"EOF";
    map \$cookie_ux \$visit { "" new; default returning; }

    ux_zone shop 16m snapshot=%%DIR%%/state interval=200ms journeys=500ms;
    ux_experiment layout { variant control 1; variant one $one;
        traffic $traffic; goal purchase; metric revenue; metric survey; }
    ux_funnel checkout { step add_to_cart; step begin_checkout;
        step purchase; cart add_to_cart within=60m; }
$segments
    server {
        listen 127.0.0.1:%%PORT%%;
        keepalive_requests 100000;
        ux_expose all;
        ux_visitor_key \$http_x_key;
        add_header X-Told "\$ux_variant_layout" always;

        location / { ux_event view_item; return 204; }
        location /cart { ux_event add_to_cart; return 204; }
        location /checkout { ux_event begin_checkout; return 204; }
        location /pay { ux_event purchase value=\$arg_value; return 204; }
        location /survey { ux_event survey; return 204; }
        location /uxstats { ux_stats; }
    }
EOF
}


# What nginx -t says of lines that are none.
sub configurations
{
    my $c = Ux::nginx(conf => '');

    my $refused = sub {
        my ($name, $line, $expected) = @_;
        my ($passed, $output) = $c->test_config("ux_zone shop 16m;\n$line\n"
            . "server { listen 127.0.0.1:%%PORT%%; }\n");
        my $n = $c->line_of(qr/^\s*(?:# )?ux_segment.*HERE/);
        ok(!$passed, "$name: refused");
        like($output, qr/\[emerg\].*$expected.*test.conf:$n\b/,
            "$name: and why, with its line");
    };

    my @values = map { "v$_" } 1 .. 64;

    $refused->('a name', 'ux_segment Device $http_x a; # HERE',
        qr/"Device".*a segment's name/);
    $refused->('no variable', 'ux_segment device http_x a; # HERE',
        qr/"http_x".*a variable/);
    $refused->('no value', 'ux_segment device $http_x; # HERE',
        qr/no value in "ux_segment" "device"/);
    $refused->('a value', 'ux_segment device $http_x 1st; # HERE',
        qr/"1st".*a value/);
    $refused->('a value twice', 'ux_segment device $http_x a b a; # HERE',
        qr/"a".*each value once/);
    $refused->('a segment twice', "ux_segment device \$http_x a;\n"
        . 'ux_segment device $http_y b; # HERE',
        qr/duplicate "ux_segment" "device"/);
    $refused->('a fifth', join('', map { "ux_segment s$_ \$http_x a;\n" }
        1 .. 4) . 'ux_segment s5 $http_x a; # HERE', qr/too many.*"s5"/);
    $refused->('a 65th value', "ux_segment device \$http_x @values; # HERE",
        qr/"v64".*at most 64 values/);
    $refused->('no zone', 'ux_segment device $http_x a zone=other; # HERE',
        qr/no "ux_zone" "other" before "ux_segment device"/);
    $refused->('no zone\'s name', 'ux_segment device $http_x a zone=; # HERE',
        qr/"zone=NAME"/);
    $refused->('a zone twice', 'ux_segment device zone=shop $http_x a '
        . 'zone=shop; # HERE', qr/"zone=NAME" once/);
    $refused->('a zone and no value', 'ux_segment d zone=shop $http_x; # HERE',
        qr/no value in "ux_segment" "d"/);
    $refused->('a zone alone', 'ux_segment d zone=shop zone=; # HERE',
        qr/"zone=NAME" once/);
    $refused->('a zone and no variable', 'ux_segment d zone=shop a; # HERE',
        qr/"a".*a variable/);

    my ($passed, $output) = $c->test_config("ux_zone shop 16m;\n"
        . "ux_zone second 16m;\nux_segment device \$http_x @values[0 .. 62];\n"
        . "ux_segment device \$http_x a other b zone=second;\n"
        . "server { listen 127.0.0.1:%%PORT%%; }\n");
    ok($passed, '63 values and "other"; "other" by name; another zone')
        or diag($output);

    for my $line ('zone=second $http_x a b', '$http_x zone=second a b',
        '$http_x a zone=second b')
    {
        ($passed, $output) = $c->test_config("ux_zone shop 16m;\n"
            . "ux_zone second 16m;\nux_segment device $line;\n"
            . "ux_segment device \$http_y a zone=second;\n"
            . "server { listen 127.0.0.1:%%PORT%%; }\n");
        ok(!$passed && $output =~ /duplicate "ux_segment" "device"/,
            "zone= anywhere: $line") or diag($output);
    }

    ($passed, $output) = $c->test_config(
        "ux_segment device \$nothing a;\n"
        . "server { listen 127.0.0.1:%%PORT%%; }\n");
    like($output, qr/no "ux_zone" before "ux_segment device"/, 'no zone yet');

    return;
}


# One shopper: a device, and what it does, by its number alone.
sub play
{
    my ($n, %option) = @_;

    my $chance = sub { UxShopper::chance($_[0], $n) };
    my $device = $DEVICES[3 * $chance->('device')];
    my $who = "shopper-$n";

    $device = ('', 'fridge')[2 * $chance->('other')]
        if $chance->('other?') < 0.2;

    act($who, 'view_item', $device);
    act($who, 'add_to_cart', $device) if $chance->('cart') < 0.7;
    act($who, 'add_to_cart', $device) if $chance->('cart again') < 0.2;
    act($who, 'begin_checkout', $device) if $chance->('checkout') < 0.6;
    act($who, 'purchase', $device, int 9000 * $chance->('value'))
        if $chance->('pay') < 0.5;

    return;
}


sub act
{
    my ($who, $event, $device, $cents) = @_;

    my $path = $PATH{$event};
    $path .= sprintf '?value=%d.%02d', int $cents / 100, $cents % 100
        if defined $cents;

    my $r = $t->get($path, Accept => 'text/html', 'X-Key' => $who,
        length $device ? ('X-Device' => $device) : ());
    die "$path of $who\n" if !$r || $r->status != 204;

    my $did = $did{$who} ||= { variant => $r->header('X-Told'),
        visit => 'new', device =>
            (grep { $_ eq $device } @DEVICES) ? $device : 'other' };

    push @{ $did->{events} }, [ $event, $cents || 0 ];

    return $r;
}


# Every figure of every value, from what the shoppers did.
sub compare
{
    my ($when) = @_;

    my $variants = $t->stats('/zones/shop/experiments/layout/variants');

    for my $name (qw(control one)) {
        for my $value (@DEVICES, 'other') {
            my @them = grep { $_->{variant} eq $name && !$_->{crossed}
                && $_->{device} eq $value } values %did;
            my $got = $variants->{$name}{segments}{device}{$value};
            my $want = expected(@them);

            cmp_ok(scalar @them, '>', 5, "$when: $name $value: shoppers");
            is($got->{visitors}, @them, "$when: $name $value: visitors");

            for my $event (qw(purchase survey)) {
                my $metric = $got->{metrics}{$event};
                is($metric->{visitors}, $want->{visitors}{$event} || 0,
                    "$when: $name $value: $event: visitors");
                is_deeply([ map { sprintf '%.9f', $_ } $metric->{rate} ],
                    [ sprintf '%.9f', ($want->{visitors}{$event} || 0)
                        / @them ], "$when: $name $value: $event: rate");
            }

            my $revenue = $got->{metrics}{revenue};
            is(sprintf('%.2f', $revenue->{sum}), sprintf('%.2f',
                $want->{cents} / CENT), "$when: $name $value: revenue");
            ok(abs($revenue->{variance} - UxFigures::variance(scalar @them,
                $want->{cents}, $want->{squares}) / CENT ** 2) < 1e-6,
                "$when: $name $value: its variance");

            my $funnel = $got->{funnels}{checkout};
            is_deeply([ map { [ @$_{qw(event visitors visitors_in_order)} ] }
                @{ $funnel->{steps} } ],
                [ map { [ $_, $want->{visitors}{$_} || 0,
                    $want->{order}{$_} || 0 ] }
                    qw(add_to_cart begin_checkout purchase) ],
                "$when: $name $value: steps");
            is_deeply({ map { $_ => $funnel->{carts}{$_} }
                qw(created open purchased purchases_without_cart) },
                $want->{carts}, "$when: $name $value: carts");
        }
    }

    return;
}


sub expected
{
    my (@them) = @_;

    my @order = qw(add_to_cart begin_checkout purchase);
    my %want = (cents => 0, squares => 0, carts => { created => 0, open => 0,
        purchased => 0, purchases_without_cart => 0 });

    for my $shopper (@them) {
        my (%saw, $cents, $cart);
        my $k = 0;

        for (@{ $shopper->{events} }) {
            my ($event, $value) = @$_;
            $saw{$event} = 1;
            $k++ if $k < 3 && $event eq $order[$k];

            if ($event eq 'add_to_cart') {
                $want{carts}{created}++ if !$cart;
                $cart = 1;
            }

            if ($event eq 'purchase') {
                $cents += $value;
                $want{carts}{$cart ? 'purchased' : 'purchases_without_cart'}++;
                $cart = 0;
            }
        }

        $want{visitors}{$_}++ for keys %saw;
        $want{order}{$order[$_]}++ for 0 .. $k - 1;
        $want{carts}{open}++ if $cart;
        $want{cents} += $cents || 0;
        $want{squares} += ($cents || 0) ** 2;
    }

    return \%want;
}


# Every number below a variant that counts, over the values of each segment.
sub adds_up
{
    my ($when) = @_;

    my $variants = $t->stats('/zones/shop/experiments/layout/variants');

    for my $name (sort keys %$variants) {
        my $whole = $variants->{$name};

        for my $segment (sort keys %{ $whole->{segments} }) {
            my (%sum, %want);
            counts(\%sum, '', $_) for values %{ $whole->{segments}{$segment} };
            counts(\%want, '', { map { $_ => $whole->{$_} }
                qw(assigned visitors metrics funnels sessions) });

            cmp_ok(scalar keys %want, '>', 25, "$when: $name: counts");
            is_deeply(\%sum, \%want,
                "$when: $name: over $segment they add up");
        }
    }

    return;
}


# Counts and sums, none that is worked out of them, under their paths.
sub counts
{
    my ($into, $path, $node) = @_;

    if (ref $node eq 'HASH') {
        counts($into, "$path/$_", $node->{$_})
            for grep { !/_rate|_ci|^rate|share|mean|variance|vs_control|cap$/
                && !/seconds|backtracks|succe|biggest_loss|reason|better/ }
            keys %$node;

    } elsif (ref $node eq 'ARRAY') {
        counts($into, "$path/$_", $node->[$_]) for 0 .. $#$node;

    } elsif (defined $node && !ref $node && $node =~ /^-?\d+(?:\.\d+)?\z/) {
        $into->{$path} = sprintf '%.2f', ($into->{$path} || 0) + $node;
    }

    return;
}


sub value
{
    my ($segment, $value, $what) = @_;

    my $v = $t->stats('/zones/shop/experiments/layout/variants');

    return sum0 map { $_->{segments}{$segment}{$value}{$what} } values %$v;
}


# Another device later is the same visitor of the first.
sub fixed_at_the_exposure
{
    my $phones = value('device', 'phone', 'visitors');
    my $tablets = value('device', 'tablet', 'visitors');

    act('mover', 'view_item', 'phone');
    act('mover', 'purchase', 'tablet', 1234);

    is(value('device', 'phone', 'visitors'), $phones + 1, 'the first device');
    is(value('device', 'tablet', 'visitors'), $tablets, 'is the only one');

    return;
}


# Whatever a client says: it is "other", and nothing of it is kept.
sub hostile_values
{
    my $other = value('device', 'other', 'visitors');

    my @words = ('x' x 3000, "t\xc3\xa9l\xc3\xa9phone", "\xff\xfe", 'PHONE',
        'phone ' . 'x', 'phon', 'phone"', '{"a":1}', '<script>secret</script>',
        '__proto__', 'other', '0');

    act("hostile-$_", 'view_item', $words[$_]) for 0 .. $#words;
    is(value('device', 'other', 'visitors'), $other + @words,
        'words that are no value are "other"');

    my $text = $t->get('/uxstats/api/1/')->body;
    unlike($text, qr/secret|PHONE|x{64}|\xff\xfe/, 'and in no document');

    Ux::wait_until(sub { saved() });
    unlike(saved(), qr/secret|PHONE|x{64}/, 'nor in a snapshot');

    return;
}


sub saved
{
    return join '', map { Ux::_read($_) } glob $t->dir . '/state/shop.*';
}


# By the cookie that a request brings, or does not: the page that exposes.
sub new_and_returning
{
    my $new = value('visit', 'new', 'visitors');

    for my $n (1 .. 3) {
        my $browser = $t->browser;
        my $r = $browser->go('/');
        $browser->go('/');
        known("browser-$n", $r, 'other');
    }

    is(value('visit', 'new', 'visitors'), $new + 3, 'without a cookie: new');
    is(value('visit', 'returning', 'visitors'), 0, 'though it returned');

    known('known', $t->get('/', Accept => 'text/html', 'X-Key' => 'known',
        Cookie => 'ux=1.0123'), 'other');
    is(value('visit', 'returning', 'visitors'), 1, 'with one: returning');

    return;
}


# Somebody who did not come by act().
sub known
{
    my ($who, $r, $device, @events) = @_;

    $did{$who} = { variant => $r->header('X-Told'), device => $device,
        events => \@events };

    return;
}


# A key's visitor and a cookie's, in two variants: both leave, exactly.
sub crossovers
{
    my $crossed = 0;

    for my $n (1 .. 40) {
        last if $crossed >= 4;

        my $browser = $t->browser;
        my ($cookie, $who) = ("cookie-$n", "crosser-$n");

        my $r = $browser->go('/cart', 'X-Device' => 'phone');
        $browser->go('/pay?value=10', 'X-Device' => 'phone');
        known($cookie, $r, 'phone', [ 'add_to_cart', 0 ],
            [ 'purchase', 1000 ]);
        act($who, 'add_to_cart', 'tablet');

        $browser->go('/', 'X-Key' => $who);
        next if $did{$cookie}{variant} eq $did{$who}{variant};

        $did{$_}{crossed} = 1 for $cookie, $who;
        $crossed++;
    }

    is($crossed, 4, 'four keys met a cookie of the other variant');
    is($t->stats('/zones/shop/experiments/layout/crossover_visitors'), 4,
        'crossovers');
    adds_up('crossovers');

    return;
}


sub help
{
    my $help = $t->stats('/help');

    like($help->{'segments.vs_control'}, qr/exploratory.*by chance/,
        'help: many comparisons');
    like($help->{'segments.heterogeneity_p'}, qr/exploratory/,
        'help: many p-values');

    return;
}


# All of it comes back from the snapshot.
sub restart
{
    my $before = $t->stats('/zones/shop/experiments/layout/variants');

    $t->stop;
    $t->start;

    my $after = $t->stats('/zones/shop/experiments/layout/variants');
    is_deeply($after->{$_}{segments}, $before->{$_}{segments},
        "restarted: $_: as before") for sort keys %$before;
    adds_up('restarted');

    act('shopper-1', 'purchase', 'desktop', 500);
    act('late', 'view_item', 'tablet');
    adds_up('restarted, and on');

    my ($status, $text) = Ux::uxctl([ 'report', '--json',
        $t->dir . '/state' ]);
    is($status, 0, 'uxctl report reads the snapshots');
    like($text, qr/"segments":\s*\{\s*"device":\s*\{\s*"phone"/,
        'and has the segments');

    return;
}


sub reloads
{
    my $before = value('device', 'phone', 'visitors');

    ok($t->reload(conf => conf(segments => <<'CONF')), 'one more value');
    ux_segment visit $visit new returning;
    ux_segment device $http_x_device phone watch tablet desktop;
    ux_segment language $http_x_language en de;
CONF
    is(value('device', 'phone', 'visitors'), $before, 'the others stay');
    act('watcher', 'view_item', 'watch');
    is(value('device', 'watch', 'visitors'), 1, 'and it counts');
    is(value('language', 'other', 'visitors'), 1,
        'a new segment counts who comes now');

    ok($t->reload(conf => conf(segments => '')), 'no segments');
    my $v = $t->stats('/zones/shop/experiments/layout/variants/control');
    is_deeply($v->{segments}, {}, 'nothing is shown');
    act('shopper-1', 'purchase', 'phone', 700);
    act('unseen', 'view_item', 'phone');

    ok($t->reload(conf => conf()), 'the first ones again');
    is(value('device', 'phone', 'visitors'), $before,
        'with what they had counted; who came meanwhile is in none');

    $v = $t->stats('/zones/shop/experiments/layout/variants');
    my ($mine) = $did{'shopper-1'}{variant};
    is((grep { $_ eq 'watch' } keys %{ $v->{$mine}{segments}{device} }), 0,
        'a value that is gone is hidden');
    is(sum0(map { $_->{metrics}{purchase}{events} }
        values %{ $v->{$mine}{segments}{device} }),
        $v->{$mine}{metrics}{purchase}{events},
        'and who had a value counted on while it was not shown');

    $t->no_alerts;

    return;
}


# In no value, for good.
sub exposed_before
{
    $t = Ux::nginx(conf => conf(segments => ''))->start;
    act("early-$_", 'view_item', 'phone') for 1 .. 10;

    ok($t->reload(conf => conf()), 'a segment comes later');
    act("early-$_", 'purchase', 'phone', 100) for 1 .. 10;
    act("later-$_", 'purchase', 'phone', 100) for 1 .. 7;

    is(value('device', 'phone', 'visitors'), 7,
        'only who came since is counted by it');
    is(sum0(map { $_->{segments}{device}{phone}{metrics}{purchase}{visitors} }
        values %{ $t->stats('/zones/shop/experiments/layout/variants') }), 7,
        'and what they did');
    $t->no_alerts;

    return;
}


# Many at once: comparisons and heterogeneity, by their formulas.
sub effects
{
    $t = Ux::nginx(workers => 2, conf => conf())->start;

    my (@first, %told, @bought);
    my %rate = (phone => [ 0.2, 0.5 ], tablet => [ 0.3, 0.3 ],
        desktop => [ 0.4, 0.35 ]);

    for my $n (1 .. 1500) {
        push @first, [ '/', 'X-Key' => "many-$n",
            'X-Device' => $DEVICES[$n % 3] ];
    }

    my @variants = UxShopper::visit($t->port, \@first);
    my %n;

    for my $n (1 .. 1500) {
        my ($device, $variant) = ($DEVICES[$n % 3], $variants[$n - 1]);
        $n{$variant}{$device}{n}++;
        next if UxShopper::chance('buys', $n)
            > $rate{$device}[$variant eq 'one'];
        $n{$variant}{$device}{x}++;
        push @bought, [ '/pay?value=5', 'X-Key' => "many-$n" ];
    }

    UxShopper::visit($t->port, \@bought);

    my $layout = $t->stats('/zones/shop/experiments/layout');
    my ($weights, $mean, @d) = (0, 0);

    for my $device (@DEVICES) {
        my ($a, $b) =
            map { UxFigures::conversion(@{ $n{$_}{$device} }{qw(n x)}) }
            qw(control one);
        my $got = $layout->{variants}{one}{segments}{device}{$device}{metrics}
            {purchase}{vs_control};
        my $d = $b->{mean} - $a->{mean};
        my $w = 1 / ($a->{error} + $b->{error});

        is($got->{status}, 'ok', "$device: compared");
        ok(abs($got->{difference} - $d) < 1e-9, "$device: difference");
        ok($got->{difference_ci}[0] < $d && $got->{difference_ci}[1] > $d
            && abs($got->{difference_ci}[1] - $got->{difference_ci}[0]
                - 2 * 1.959964 / sqrt $w) < 1e-6, "$device: its interval");
        ok(abs($got->{lift} - $d / $a->{mean}) < 1e-9, "$device: lift");
        ok($got->{exploratory} && !$got->{peeking_safe}
            && !exists $got->{significant} && !exists $got->{p_value},
            "$device: exploratory, and no claim");
        push @d, [ $d, $w ];
        $weights += $w;
        $mean += $w * $d;
    }

    $mean /= $weights;
    my $q = sum0 map { $_->[1] * ($_->[0] - $mean) ** 2 } @d;
    my $het = $layout->{segments}{device}{purchase}{one};

    ok(abs($het->{q} - $q) < 1e-6, "Cochran's Q: $q");
    is($het->{values}, 3, 'of the values that somebody has');
    ok(abs($het->{heterogeneity_p} - exp(-$q / 2)) < 1e-9,
        'its p, two degrees of freedom');
    ok($het->{exploratory}, 'exploratory');
    is($layout->{segments}{visit}{purchase}{one}{heterogeneity_p}, undef,
        'one value: nothing to differ');

    my $other = $layout->{variants}{one}{segments}{device}{other};
    is($other->{metrics}{purchase}{vs_control}{status}, 'insufficient_data',
        'nobody: not compared');
    is($other->{metrics}{purchase}{vs_control}{difference_ci}, undef,
        'and no interval');
    is($layout->{variants}{control}{segments}{device}{phone}{metrics}
        {purchase}{vs_control}, undef, 'the control with nobody');

    return;
}


# Visitors of two times, shared out otherwise, are not compared as one lot.
sub weights
{
    ok($t->reload(conf => conf(one => 3)), 'other weights');
    UxShopper::visit($t->port, [ map { [ '/', 'X-Key' => "new-$_",
        'X-Device' => 'phone' ] } 1 .. 50 ]);

    my $got = $t->stats('/zones/shop/experiments/layout/variants/one'
        . '/segments/device/phone/metrics/purchase/vs_control');
    is($got->{status}, 'mixed_weights', 'weights changed: says so');
    is($got->{difference}, undef, 'and compares nothing');
    adds_up('weights');

    # another epoch that shares out as before is no harm

    my $c = Ux::nginx(conf => conf())->start;
    UxShopper::visit($c->port, [ map { [ '/', 'X-Key' => "new-$_",
        'X-Device' => 'phone' ] } 1 .. 20 ]);
    $c->reload(conf => conf(traffic => '90%'));
    UxShopper::visit($c->port, [ map { [ '/', 'X-Key' => "newer-$_",
        'X-Device' => 'phone' ] } 1 .. 20 ]);
    $got = $c->stats('/zones/shop/experiments/layout');
    is($got->{epoch}, 2, 'other traffic: an epoch');
    is($got->{variants}{one}{segments}{device}{phone}{metrics}{purchase}
        {vs_control}{status}, 'insufficient_data', 'is compared all the same');

    $_->no_alerts for $c, $t;

    return;
}
