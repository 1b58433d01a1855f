#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# The journey over stages, contacts and money of each variant: synthetic
# shoppers, whose events before and after the purchase follow from a seed,
# against figures that this file works out from what it had them do.  All of it
# over a restart, in uxctl's report, and when a stage comes along.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use List::Util qw(max min sum0);
use Test::More;
use UxShopper;
use UxTest;


use constant { SHOPPERS => 60, TINY => 1e-9 };

my @NAV = (Accept => 'text/html');

my %STAGES = (
    browse => [ qw(view_item search) ],
    buying => [ qw(add_to_cart begin_checkout purchase) ],
    order => [ qw(order_status) ],
    returns => [ qw(refund return_form) ],
    support => [ qw(contact chat) ],
);

my @ACTS = (qw(view_item search add_to_cart begin_checkout purchase refund
    return_form order_status contact chat add_payment_info));

my $json = JSON::PP->new;
my %variant;                # of a shopper
my %did;                    # shopper => [ [ event, value or undef ], ... ]
my %crossed;
my $changed = 0;            # acts of a shopper before the stages changed

my $t = Ux::nginx(workers => 2, conf => conf(stages()))->start;

refused();
play(map { "s$_" } 1 .. SHOPPERS);
compare('played', %STAGES);
other_money();
crossover();
restarted();
another_stage();
without();

$t->no_alerts;

done_testing();


sub stages
{
    my %set = @_ ? @_ : %STAGES;

    return join '', map { "ux_stage $_ @{ $set{$_} };\n" } sort keys %set;
}


sub conf
{
    my ($stages) = @_;

    my $locations = join '', map { "location /$_ { ux_event $_"
        . ' value=$arg_value currency=$arg_currency id=$arg_id;'
        . " return 204; }\n" } @ACTS;

    return <<"EOF";
    ux_zone shop 8m snapshot=%%DIR%%/state interval=100ms journeys=200ms;
    ux_experiment layout { variant control 1; variant one 1; goal purchase; }
    $stages
    ux_visitor_key \$http_x_key;

    server {
        listen 127.0.0.1:%%PORT%%;
        ux_expose all requests=any;
        add_header X-Variant \$ux_variant_layout always;

        location / { return 204; }
        $locations
        location /uxstats { ux_stats; }
    }
EOF
}


# Each word that is wrong is quoted, with its line.
sub refused
{
    my $zone = 'ux_zone shop 1m;';
    my $many = join '', map { "ux_stage s$_ e$_;\n" } 1 .. 16;
    my @steps = map { "metric e$_;" } 1 .. 57;
    my $full = "ux_experiment a { variant x 1; variant y 1; @steps }";

    for my $case (
        [ 'a name', "$zone ux_stage Browse view_item;", 'Browse',
            qr/a stage's name: a lower-case letter/ ],
        [ 'the name of the start', "$zone ux_stage start view_item;", 'start',
            qr/not "start"/ ],
        [ 'no event', "$zone ux_stage browse zone=shop;", 'browse',
            qr/no event in "ux_stage"/ ],
        [ 'a name alone', "$zone ux_stage browse;", 'ux_stage',
            qr/invalid number of arguments/ ],
        [ 'a stage twice',
            "$zone ux_stage a view_item; ux_stage a search;", 'a',
            qr/duplicate "ux_stage"/ ],
        [ 'an event', "$zone ux_stage browse View;", 'View',
            qr/an event's name: a lower-case letter/ ],
        [ 'an event twice', "$zone ux_stage a view_item view_item;",
            'view_item', qr/each event once/ ],
        [ 'an event in two stages',
            "$zone ux_stage a view_item; ux_stage b search view_item;",
            'view_item', qr/of "ux_stage" "b" is in stage "a" already/ ],
        [ 'a stage too many', "$zone $many ux_stage s17 e17;", 's17',
            qr/too many stages at .*: a zone holds 16/ ],
        [ 'an event too many', "$zone $full\n ux_stage a e58;", 'e58',
            qr/at most 64 event names in a zone/ ],
        [ 'no zone', 'ux_stage a view_item;', 'ux_stage a',
            qr/no "ux_zone" before/ ],
        [ 'an unknown zone', "$zone ux_stage a view_item zone=b2b;",
            'ux_stage a', qr/no "ux_zone" "b2b" before/ ],
        [ 'an empty zone', "$zone ux_stage a view_item zone=;", 'zone=',
            qr/"zone=NAME" once/ ],
        [ 'a zone twice', "$zone ux_stage a zone=shop view_item zone=shop;",
            'zone=shop', qr/"zone=NAME" once/ ],
        [ 'in a server', "$zone server { ux_stage a view_item; }", 'ux_stage',
            qr/directive is not allowed here/ ],
    ) {
        my ($name, $conf, $word, $expected) = @$case;

        # the last directive stands in a line of its own
        $conf =~ s/^(.*)(ux_stage)/$1\n# HERE\n$2/s;

        my ($passed, $output) = $t->test_config($conf);
        my $line = $t->line_of(qr/# HERE/) + 1;
        my ($message) = grep { /\[emerg\]/ } split /\n/, $output;

        ok(!$passed && index($message // '', qq{"$word"}) >= 0
            && $message =~ $expected && $message =~ /test\.conf:$line\b/,
            "refused: $name") or diag $output;
    }

    for my $case ([ 'a zone by its name',
            "$zone ux_zone b2b 1m; ux_stage a zone=b2b view_item;" ],
        [ 'the same in two zones', "$zone ux_zone b2b 1m;"
            . 'ux_stage a view_item; ux_stage a view_item zone=b2b;' ],
        [ 'events of its own', "$zone ux_stage a wave; server { location / {"
            . ' ux_event wave; } }' ], [ '16 stages', "$zone $many" ])
    {
        my ($passed, $output) = $t->test_config($case->[1]);
        ok($passed, "accepted: $case->[0]") or diag $output;
    }

    return;
}


# What one shopper does: some events, a purchase for most, some after it.
sub acts
{
    my ($who) = @_;

    my $round = @{ $did{$who} || [] };
    my $chance = sub { UxShopper::chance("journey $_[0]", "$who $round") };
    my $n = int 9 * $chance->('how many');
    my @acts;

    for my $k (1 .. $n) {
        my $event = $ACTS[@ACTS * $chance->("what $k")];
        my $value = int 10000 * $chance->("value $k");

        push @acts, $event eq 'refund' ? [ $event, int $value / 4 ]
            : $event eq 'purchase' && $chance->("valued $k") < 0.8
                ? [ $event, $value ]
            : [ $event ];
    }

    push @acts, [ 'purchase', int 20000 * $chance->('worth') ]
        if $chance->('buys') < 0.6;
    push @acts, map { [ $ACTS[@ACTS * $chance->("then $_")] ] }
        1 .. 6 * $chance->('after');

    # a refund without a value is none

    return grep { $_->[0] ne 'refund' || defined $_->[1] } @acts;
}


sub told
{
    my ($who, $event, $value, @more) = @_;

    my $path = "/$event?" . join '&', @more,
        defined $value ? sprintf 'value=%.2f', $value / 100 : ();

    return $t->get($path, @NAV, 'X-Key' => $who);
}


sub play
{
    for my $who (@_) {
        $variant{$who} ||= $t->get('/', @NAV, 'X-Key' => $who)
            ->header('X-Variant');

        for my $act (acts($who)) {
            my ($event, $value) = @$act;
            my $id = 'o' . @{ $did{$who} || [] };

            told($who, $event, $value, $event eq 'purchase' ? "id=$id" : ());
            push @{ $did{$who} }, $act;

            # a thank-you page loaded again

            told($who, $event, $value, "id=$id") if $event eq 'purchase';
        }
    }

    return;
}


# All figures of both variants, worked out anew.
sub compare
{
    my ($what, %set) = @_;

    my $variants = $t->stats('/zones/shop/experiments/layout/variants');

    for my $name (qw(control one)) {
        my @all = grep { $variant{$_} eq $name } sort keys %did;
        my @them = grep { !$crossed{$_} } @all;
        my $got = $variants->{$name};

        cmp_ok(scalar @them, '>', 15, "$what, $name: shoppers");
        is($got->{visitors}, @them, "$what, $name: visitors");
        is_deeply(rounded($got->{journey}), journey(\%set, \@all, \@them),
            "$what, $name: journey");
        is_deeply(rounded($got->{contact}),
            contact(\%set, $got, \@all, \@them), "$what, $name: contact");
        money("$what, $name", $got, \@all, \@them);
    }

    return $variants;
}


sub journey
{
    my ($set, $all, $them) = @_;

    my (%of, %moves, %events, %reached, %told, %stages);
    my @names = sort keys %$set;

    for my $stage (@names) {
        $of{$_} = $stage for @{ $set->{$stage} };
    }

    for my $which (qw(before_purchase after_purchase)) {
        for my $from ('start', @names) {
            $moves{$which}{$from}{$_} = 0 for @names;
        }
    }

    for my $who (@$all) {
        my ($at, $which, $n, %seen) = ('start', 'before_purchase', 0);
        my $old = $changed ? $changed->{$who} || 0 : 0;
        my $counts = grep { $_ eq $who } @$them;

        for my $act (@{ $did{$who} }) {
            my ($event) = @$act;
            my $stage = $of{$event};
            my $new = $n++ >= $old;

            if ($counts && !$seen{$event}++) {
                $told{$event}++;
            }

            if (defined $stage) {
                $events{$stage}++;
                $moves{$which}{$at}{$stage}++ if $new;
                $reached{$stage}++ if $counts && !$seen{"stage $stage"}++
                    && $new;

                # a stage that came later moved nobody before

                $at = $stage if $new || $STAGES{$stage};
            }

            $which = 'after_purchase' if $event eq 'purchase';
        }
    }

    for my $stage (@names) {
        my @of = map { $told{$_} || 0 } @{ $set->{$stage} };
        my $x = min(max($reached{$stage} || 0, @of), sum0 @of);

        $stages{$stage} = { visitors => $x, events => $events{$stage} || 0,
            repeats => $moves{before_purchase}{$stage}{$stage}
                + $moves{after_purchase}{$stage}{$stage},
            rate => rounded($x / @$them), rate_ci => wilson($x, scalar @$them)
        };
    }

    return { stages => \%stages, %moves };
}


sub contact
{
    my ($set, $got, $all, $them) = @_;

    my $events = grep { my $e = $_->[0]; grep { $_ eq $e }
        @{ $set->{support} } } map { @{ $did{$_} } } @$all;
    my $orders = grep { $_->[0] eq 'purchase' } map { @{ $did{$_} } } @$all;
    my $visitors = grep { my $who = $_; grep { $_->[0] =~ /^(?:contact|chat)$/
        } @{ $did{$who} } } @$them;

    $visitors = $got->{journey}{stages}{support}{visitors} if $changed;

    return { events => $events, visitors => $visitors,
        per_visitor => rounded($events / @$them),
        visitor_rate => rounded($visitors / @$them),
        visitor_rate_ci => wilson($visitors, scalar @$them),
        per_order => rounded($events / $orders) };
}


sub money
{
    my ($what, $got, $all, $them) = @_;

    my %n = map { $_ => 0 } qw(orders orders_with_value ordered refunds
        refunded revenue);

    for my $who (@$all) {
        my $own = 0;

        for my $act (@{ $did{$who} }) {
            my ($event, $value) = @$act;

            if ($event eq 'purchase') {
                $n{orders}++;
                $n{orders_with_value}++ if defined $value;
                $n{ordered} += $value || 0;
                $own += $value || 0;

            } elsif ($event eq 'refund') {
                $n{refunds}++;
                $n{refunded} += min $own, $value;
                $own -= min $own, $value;
            }
        }

        $n{revenue} += $own if !$crossed{$who};
    }

    cmp_ok($n{$_}, '>', 0, "$what: there is something in $_")
        for sort keys %n;

    my $money = $got->{money};

    is_deeply({ map { $_ => sprintf '%.2f', 100 * $money->{$_} }
            qw(ordered refunded revenue) },
        { map { $_ => sprintf '%.2f', $n{$_} }
            qw(ordered refunded revenue) }, "$what: sums");
    is_deeply([ map { $money->{$_} } qw(orders orders_with_value refunds) ],
        [ map { $n{$_} } qw(orders orders_with_value refunds) ],
        "$what: orders");
    cmp_ok(abs $money->{order_value}
        - $n{ordered} / 100 / $n{orders_with_value}, '<', TINY,
        "$what: order value");
    cmp_ok(abs $money->{per_visitor} - $n{revenue} / 100 / @$them, '<', TINY,
        "$what: per visitor");
    is($money->{revenue} + 0, $got->{metrics}{revenue}{sum} + 0,
        "$what: revenue as the metric's");
    is($money->{currency}, 'EUR', "$what: its currency");
    is(keys %$money, 9, "$what: nothing else");

    return;
}


# Numbers, wherever they are, as far as two ways to compute them agree.
sub rounded
{
    my ($what) = @_;

    return ref $what eq 'HASH'
        ? { map { $_ => rounded($what->{$_}) } keys %$what }
        : ref $what eq 'ARRAY' ? [ map { rounded($_) } @$what ]
        : 0 + sprintf '%.12g', $what;
}


sub wilson
{
    my ($x, $n) = @_;

    my $z2 = 1.959963984540054 ** 2;
    my $p = $x / $n;
    my $middle = ($p + $z2 / 2 / $n) / (1 + $z2 / $n);
    my $half = sqrt($z2) * sqrt($p * (1 - $p) / $n + $z2 / 4 / $n / $n)
        / (1 + $z2 / $n);

    return rounded([ $x == 0 ? 0 : $middle - $half,
        $x == $n ? 1 : $middle + $half ]);
}


# Of each variant: an order in francs is an order, and no money of ours.
sub other_money
{
    for my $name (qw(control one)) {
        my ($who) = grep { $variant{$_} eq $name } sort keys %did;

        told($who, 'purchase', 70000, 'currency=CHF', 'id=foreign');
        push @{ $did{$who} }, [ 'purchase' ];
    }

    compare('francs', %STAGES);
    is($t->stats('/zones/shop/other_currencies/CHF')->{sum} + 0, 1400,
        'francs: apart');

    return;
}


# Somebody with a cookie who turns out to be another variant's key: neither is
# anybody's visitor any more.
sub crossover
{
    my $browser = $t->browser;
    my $first = $browser->go('/');
    my $name = $first->header('X-Variant');

    $browser->go("/$_") for qw(view_item search contact contact order_status);
    $browser->go('/purchase?value=12.50');

    $variant{cookie} = $name;
    $did{cookie} = [ map { [ $_ ] } qw(view_item search contact contact
        order_status) ];
    push @{ $did{cookie} }, [ 'purchase', 1250 ];
    compare('a cookie', %STAGES);

    my ($key) = grep { $variant{$_} ne $name } sort keys %variant;
    $browser->go('/', 'X-Key' => $key);
    $crossed{$_} = 1 for 'cookie', $key;
    compare('crossed over', %STAGES);

    return;
}


sub part { return { map { $_ => $_[0]{$_} } qw(journey contact money) } }


# Files keep all of it: for uxctl, and for the next start, which goes on.
sub restarted
{
    my $live = $t->stats('/zones/shop/experiments/layout/variants');
    my $state = $t->dir . '/state';

    $t->stop;

    my ($status, $text) = Ux::uxctl([ 'report', '--json', $state ]);
    my $said = $json->decode($text =~ s/^uxctl: .*\n//gmr);
    my $report = $said->{zones}{shop}{experiments}{layout}{variants};

    is($status, 0, 'uxctl report: exits with 0');
    is_deeply(part($report->{$_}), part($live->{$_}),
        "uxctl report: $_: as the server said") for qw(control one);
    ok(defined $said->{help}{'journey.before_purchase'},
        'uxctl report: and what it means');

    $t->start;
    compare('restarted', %STAGES);
    play(grep { !$crossed{$_} } map { "s$_" } 1 .. 20);
    compare('and on', %STAGES);

    return;
}


# Moves from zero, but everybody in the stage it was in.
sub another_stage
{
    my %more = (%STAGES, account => [ qw(add_payment_info) ]);

    $changed = { map { $_ => scalar @{ $did{$_} } } keys %did };
    $t->{conf} = conf(stages(%more));
    $t->reload;

    my $variants = compare('a stage more', %more);
    is(sum0(map { my $v = $_; map { my $m = $v->{journey}{$_};
            map { values %$_ } values %$m }
            qw(before_purchase after_purchase) } values %$variants), 0,
        'a stage more: no moves yet');

    play(grep { !$crossed{$_} } map { "s$_" } 1 .. SHOPPERS);
    $variants = compare('a stage more, and on', %more);
    cmp_ok($variants->{one}{journey}{after_purchase}{support}{account}, '>', 0,
        'a stage more: moves from a stage of before to it');

    return;
}


sub without
{
    my $s = Ux::nginx(conf => <<'EOF')->start;
    ux_zone shop 4m;
    ux_experiment layout { variant control 1; variant one 1; }
    server {
        listen 127.0.0.1:%%PORT%%;
        location /uxstats { ux_stats; }
    }
EOF

    my $v = $s->stats('/zones/shop/experiments/layout/variants/one');
    is_deeply($v->{journey}, { stages => {}, before_purchase => { start => {}
        }, after_purchase => { start => {} } }, 'no stages: all members');
    ok(exists $v->{contact} && !defined $v->{contact},
        'no stage "support": no contact');
    is_deeply($v->{money}, { currency => 'EUR', orders => 0, refunds => 0,
            orders_with_value => 0, per_visitor => undef,
            order_value => undef, map { $_ => 0 }
            qw(revenue ordered refunded) }, 'nobody: no money')
        or diag explain $v->{money};

    $s->no_alerts;

    return;
}
