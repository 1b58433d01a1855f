#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Every figure of /uxstats that compares variants, against what UxFigures.pm
# works out from the visits that were made: three arms, two goals, rates,
# money, counts, order values and guardrails, at several settings.
#
# All experiments have one salt, so a visitor is in the same arm of each.  The
# last visitors make every difference larger: so the smallest p of a goal is
# the last one, whenever the worker looked.  And 1, 2 and 4 workers have to
# come to the same.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use List::Util qw(min sum0);
use Test::More;
use UxFigures;
use UxShopper;
use UxTest;

use constant { VISITORS => 4_000, TAIL => 200,
    DECISIVE => 0.001 };


my @ARMS = qw(control one_page steps);
my %WEIGHT = (control => 50, one_page => 30, steps => 20);

# What of the visitors does what, by arm; the last ones see below.
my %RATE = (
    purchase  => { control => 0.10, one_page => 0.16, steps => 0.20 },
    signup    => { control => 0.30, one_page => 0.33, steps => 0.25 },
    complaint => { control => 0.10, one_page => 0.20, steps => 0.22 },
    visit     => { map { $_ => 0.5 } @ARMS },
    bonus     => { control => 0, one_page => 0.2, steps => 0.2 },
    always    => { map { $_ => 1 } @ARMS },
    rare      => { map { $_ => 0.004 } @ARMS },
    never     => { map { $_ => 0 } @ARMS },
);

# Each: the lines in the configuration, and settings other than these.
my %DEFAULT = (alpha => 0.05, planned => 10_000, cap => 0, metrics => []);
my @METRICS = ([ 'signup', 'conversion' ], [ 'items', 'count' ],
    [ 'purchase', 'ratio' ], [ 'basket', 'mean' ]);
my %EXPERIMENT = (
    full => { lines => 'goal purchase revenue; metric signup;'
        . ' metric items type=count; metric purchase type=ratio;'
        . ' metric basket type=mean;'
        . ' guardrail complaint better=lower margin=5%; min_runtime 0;',
        goals => [ [ 'purchase', 'conversion' ], [ 'revenue', 'mean' ] ],
        metrics => \@METRICS, guardrail => [ 'complaint', 'conversion' ],
        lower => 'complaint', margin => 0.05,
        guard => 'harmed', verdict => 'guardrail', waiting => [] },
    week => { lines => 'goal purchase;',
        goals => [ [ 'purchase', 'conversion' ] ], verdict => 'collecting',
        waiting => [ 'min_runtime', 'significance' ], week => 1 },
    strict => { lines => 'goal purchase; alpha 0.01; min_runtime 0;'
        . ' guardrail signup margin=60%;',
        goals => [ [ 'purchase', 'conversion' ] ], alpha => 0.01,
        guardrail => [ 'signup', 'conversion' ], margin => 0.6,
        guard => 'ok', verdict => 'variant_better', winner => 'steps',
        waiting => [] },
    careful => { lines => 'goal purchase; min_runtime 0; planned 2000;'
        . ' guardrail visit margin=1%;',
        goals => [ [ 'purchase', 'conversion' ] ], planned => 2000,
        guardrail => [ 'visit', 'conversion' ], margin => 0.01,
        guard => 'unclear', verdict => 'variant_better', winner => 'steps',
        waiting => [] },
    capped => { lines => 'goal revenue; cap 20.00; min_runtime 0;',
        goals => [ [ 'revenue', 'mean' ] ], cap => 2000,
        verdict => 'variant_better', winner => 'steps', waiting => [] },
    worse => { lines => 'goal complaint; metric complaint better=lower;'
        . ' min_runtime 0;',
        goals => [ [ 'complaint', 'conversion' ] ], lower => 'complaint',
        verdict => 'control_better', waiting => [] },
    same => { lines => 'goal visit; equivalence 60%; min_runtime 0;',
        goals => [ [ 'visit', 'conversion' ] ], verdict => 'no_difference',
        waiting => [] },
    open => { lines => 'goal visit; equivalence 0.1%; min_runtime 0;',
        goals => [ [ 'visit', 'conversion' ] ], verdict => 'collecting',
        waiting => [ 'significance', 'planned' ] },
    over => { lines => 'goal visit; planned 1000; min_runtime 0;',
        goals => [ [ 'visit', 'conversion' ] ], planned => 1000,
        verdict => 'inconclusive', waiting => [ 'significance' ] },
    nobody => { lines => 'goal never; min_runtime 0;',
        goals => [ [ 'never', 'conversion' ] ],
        status => 'insufficient_data' },
    everybody => { lines => 'goal always; min_runtime 0;',
        goals => [ [ 'always', 'conversion' ] ], status => 'zero_variance' },
    zero => { lines => 'goal bonus; min_runtime 0;',
        goals => [ [ 'bonus', 'conversion' ] ], status => 'baseline_zero' },
    few => { lines => 'goal rare; min_runtime 0;',
        goals => [ [ 'rare', 'conversion' ] ],
        status => 'insufficient_data' },
);

my %arm_of = reverse_keys();
my @visits = map { visit_of($_) } 1 .. VISITORS;
my ($sums, $smallest) = add_up();
my $t;
my %document;

for my $workers (2, 1, 4) {
    $t = Ux::nginx(workers => $workers, conf => conf())->start;
    everybody_visits($workers);
    $document{$workers} = $t->stats('/zones/shop/experiments');

    if ($workers == 2) {
        figures_are_right($_) for sort keys %EXPERIMENT;
        documents_are_strict();
        parts_are_the_same();
    }
    $t->no_alerts("$workers workers: no alerts");
}

workers_agree();

done_testing();


sub conf
{
    my $variants = join ' ', map { "variant $_ $WEIGHT{$_};" } @ARMS;
    my $conf = "ux_zone shop 16m experiments=16 totals=4;\naccess_log off;\n"
        . "client_header_buffer_size 16k;\nkeepalive_requests 1000000;\n";

    for my $name (sort keys %EXPERIMENT) {
        $conf .= "ux_experiment $name { salt s; $variants"
            . " $EXPERIMENT{$name}{lines} }\n";
    }

    $conf .= "server {\nlisten 127.0.0.1:%%PORT%%;\nux_visitor_key \$arg_v;\n"
        . "ux_expose all;\nadd_header X-Told \$ux_variant_full always;\n"
        . "location / {\n";
    $conf .= "ux_event $_ if=\$arg_$_;\n" for grep { $_ ne 'purchase' }
        sort keys %RATE;
    $conf .= "ux_event $_ if=\$arg_$_ value=\$arg_$_;\n"
        for qw(purchase refund items basket);

    return "$conf return 204;\n}\nlocation /uxstats { ux_stats; }\n}\n";
}


sub key { return "shopper$_[0]" }


# Visitor number to arm, as uxctl says it.
sub reverse_keys
{
    my $arm = Ux::assign('full:' . join(',', map { "$_=$WEIGHT{$_}" } @ARMS),
        [ map { key($_) } 1 .. VISITORS ], '--salt', 's');

    return map { $_ => $arm->{key($_)} } 1 .. VISITORS;
}


# A visitor's requests, each a hash of event to value (1: none), money in
# cents.
sub visit_of
{
    my ($n) = @_;

    my $arm = $arm_of{$n};
    my $does = sub { UxShopper::chance($_[0], $n) < $_[1] };
    my %first = map { $_ => 1 } grep { $does->($_, $RATE{$_}{$arm}) }
        sort keys %RATE;
    my @more;

    if ($n > VISITORS - TAIL) {
        delete @first{qw(purchase complaint)};
        @first{qw(purchase complaint)} = (1, 1) if $arm ne 'control';
    }

    if ($first{purchase}) {
        $first{purchase} = money('price', $n);
        push @more, { purchase => money('again', $n) } if $does->('two', 0.2);
        push @more, { refund => 1 + money('back', $n) } if $does->('no', 0.1);
    }

    push @more, map { { items => 1 } }
        1 .. int 3 * UxShopper::chance('items', $n);
    push @more, map { { basket => money("basket$_", $n) } }
        1 .. int 2 * UxShopper::chance('baskets', $n);

    return { n => $n, arm => $arm, requests => [ \%first, @more ] };
}


sub money
{
    my ($what, $n) = @_;

    return 500 + int 9000 * UxShopper::chance($what, $n) ** 3;
}


sub everybody_visits
{
    my ($workers) = @_;

    my @told = UxShopper::visit($t->port, [ map { paths($_) } @visits ]);
    my @expected = map { my $visit = $_; map { $visit->{arm} }
        @{ $visit->{requests} } } @visits;

    is_deeply(\@told, \@expected, "$workers workers: arms as uxctl has them");

    return;
}


sub paths
{
    my ($visit) = @_;

    return map { my $request = $_;
        join '&', '/?v=' . key($visit->{n}), map { my $value = $request->{$_};
            "$_=" . ($value == 1 ? 1 : sprintf '%.2f', $value / 100)
        } sort keys %$request } @{ $visit->{requests} };
}


# All visits, added up by arm; and the smallest p there was on the way, by
# experiment, arm and metric: at any of these moments a worker may have looked.
sub add_up
{
    my (%sums, %smallest);

    $sums{$_} = { n => 0 } for @ARMS;

    for my $visit (@visits) {
        add_visit($sums{$visit->{arm}}, $visit);

        for my $name (sort keys %EXPERIMENT) {
            my $e = { %DEFAULT, %{ $EXPERIMENT{$name} } };
            for my $arm (@ARMS[1, 2]) {
                next unless $visit->{arm} eq $arm
                    || $visit->{arm} eq 'control';
                my $now = now($e, $e->{goals}[0], $arm, \%sums, 1);
                my $p = $smallest{$name}{$arm};
                $smallest{$name}{$arm} = $now->{p_now} if defined
                    $now->{p_now} && (!defined $p || $now->{p_now} < $p);
            }
        }
    }

    return (\%sums, \%smallest);
}


# Cells of an event: x visitors, c events, y value, and squares and products
# of one visitor's; of revenue for each cap.
sub add_visit
{
    my ($sum, $visit) = @_;

    my (%count, %value);
    my $revenue = 0;

    for my $request (@{ $visit->{requests} }) {
        for my $event (keys %$request) {
            $count{$event}++;
            $value{$event} += $request->{$event};
        }
        $revenue += $request->{purchase} || 0;
        $revenue -= min($revenue, $request->{refund} || 0);
    }

    $sum->{n}++;
    for my $event (keys %count) {
        my ($c, $y) = ($count{$event}, $value{$event});
        $sum->{$event}{x}++;
        $sum->{$event}{c} += $c;
        $sum->{$event}{cc} += $c ** 2;
        $sum->{$event}{y} += $y;
        $sum->{$event}{yy} += $y ** 2;
        $sum->{$event}{yc} += $y * $c;
    }
    for my $cap (0, 2000) {
        my $r = $cap ? min($revenue, $cap) : $revenue;
        $sum->{"revenue$cap"}{y} += $r;
        $sum->{"revenue$cap"}{yy} += $r ** 2;
    }

    return;
}


sub sample
{
    my ($e, $metric, $sum) = @_;

    my ($name, $type) = @$metric;
    my $event = $name eq 'revenue' ? 'purchase' : $name;
    my $n = $sum->{n};
    my %cell = map { $_ => 0 } qw(x c cc y yy yc);

    %cell = (%cell, %{ $sum->{$event} || {} });
    %cell = (%cell, %{ $sum->{"revenue$e->{cap}"} || {} })
        if $name eq 'revenue';

    return $type eq 'conversion' ? UxFigures::conversion($n, $cell{x})
        : $type eq 'count' ? UxFigures::mean($n, @cell{qw(x c cc)}, 1)
        : $type eq 'mean' ? UxFigures::mean($n, @cell{qw(x y yy)}, 100)
        : UxFigures::ratio($n, @cell{qw(x y c yy cc yc)}, 100);
}


sub now
{
    my ($e, $metric, $arm, $sums, $family) = @_;

    return UxFigures::compare([ [ map { sample($e, $metric, $sums->{$_}) }
        'control', $arm ] ], alpha => $e->{alpha}, planned => $e->{planned},
        level => $e->{alpha} / $family);
}


sub figures_are_right
{
    my ($name) = @_;

    my $e = { %DEFAULT, %{ $EXPERIMENT{$name} } };
    my $got = $document{2}{$name};

    settings_are_told($name, $e, $got);
    arms_are_right($name, $e, $got);
    goals_are_right($name, $e, $got);
    secondary_ones_are_right($name, $e, $got);
    guardrail_is_right($name, $e, $got) if $e->{guardrail};
    decision_is_right($name, $e, $got);
    split_is_right($name, $got);
    all_assigned_are_right($name, $e, $got);

    return;
}


sub settings_are_told
{
    my ($name, $e, $got) = @_;

    my @goals = map { $_->[0] } @{ $e->{goals} };

    near($got->{alpha}, $e->{alpha}, "$name: alpha");
    is($got->{planned_visitors}, $e->{planned}, "$name: planned size");
    is($got->{min_runtime_seconds}, $e->{week} ? 7 * 86400 : 0,
        "$name: minimum runtime");
    is_deeply($got->{goal}, @goals > 1 ? \@goals : $goals[0], "$name: goal");
    is_deeply([ map { [ @$_{qw(epoch visitors used)} ] }
        @{ $got->{epochs} } ], [ [ 1, VISITORS, JSON::PP::true ] ],
        "$name: its one epoch is used");

    return;
}


# The same metric under the name it has in the document.
sub shown
{
    my ($variant, $metric) = @_;

    my ($name, $type) = @$metric;
    my $metrics = $variant->{metrics};

    return $metrics->{"$name:$type"} || $metrics->{$name};
}


sub arms_are_right
{
    my ($name, $e, $got) = @_;

    my @metrics = (@{ $e->{goals} }, @{ $e->{metrics} },
        $e->{guardrail} || ());

    for my $arm (@ARMS) {
        is($got->{variants}{$arm}{visitors}, $sums->{$arm}{n},
            "$name: $arm: visitors");

        for my $metric (@metrics) {
            my $shown = shown($got->{variants}{$arm}, $metric);
            metric_is_right("$name: $arm: @$metric", $e, $metric, $arm,
                $shown);
            is($shown->{vs_control}, undef, "$name: @$metric: the control is"
                . ' compared with nobody') if $arm eq 'control';
        }
    }

    return;
}


sub metric_is_right
{
    my ($what, $e, $metric, $arm, $shown) = @_;

    my ($name, $type) = @$metric;
    my $event = $name eq 'revenue' ? 'purchase' : $name;
    my $sum = $sums->{$arm};
    my $cell = $sum->{$name eq 'revenue' ? "revenue$e->{cap}" : $name} || {};
    my $sample = sample($e, $metric, $sum);

    is($shown->{type}, $type, "$what: type");
    is($shown->{better}, ($e->{lower} || '') eq $name ? 'lower' : 'higher',
        "$what: better");
    is($shown->{role}, (grep { $_ == $metric } @{ $e->{goals} }) ? 'goal'
        : $e->{guardrail} && $metric == $e->{guardrail} ? 'guardrail'
        : 'secondary', "$what: role");
    is($shown->{visitors}, $sum->{$event}{x} || 0, "$what: who did it");
    is($shown->{events}, $sum->{$event}{c} || 0, "$what: how often");

    if ($type eq 'conversion') {
        near($shown->{rate}, $sample->{mean}, "$what: rate");
        near($shown->{rate_ci}, UxFigures::wilson($sample->{x}, $sample->{n}),
            "$what: interval of the rate");
        return;
    }

    near($shown->{$type eq 'ratio' ? 'ratio' : 'mean'}, $sample->{mean},
        "$what: mean");
    near($shown->{sum}, $type eq 'count' ? $cell->{c} : $cell->{y} / 100,
        "$what: sum");
    is($shown->{currency}, $type eq 'count' ? undef : 'EUR',
        "$what: currency");
    near($shown->{variance}, $sample->{error} * $sample->{n},
        "$what: variance") if $type ne 'ratio';

    return;
}


sub goals_are_right
{
    my ($name, $e, $got) = @_;

    my $family = @{ $e->{goals} } * (@ARMS - 1);
    my (@shown, @p);

    for my $arm (@ARMS[1, 2]) {
        for my $metric (@{ $e->{goals} }) {
            my $what = "$name: $arm: @$metric";
            my $now = now($e, $metric, $arm, $sums, $family);
            my $shown = shown($got->{variants}{$arm}, $metric)->{vs_control};

            comparison_is_right($what, $e, $metric, $now, $shown);
            smallest_p_is_right($what, $now->{p_now},
                $metric == $e->{goals}[0] ? $smallest->{$name}{$arm} : undef,
                $shown->{p_value});
            push @shown, [ $what, $shown ];
        }
    }

    @p = map { defined $_->[1]{p_value} ? $_->[1]{p_value} : 1 } @shown;
    my @adjusted = UxFigures::holm(@p);

    for my $i (0 .. $#shown) {
        my ($what, $shown) = @{ $shown[$i] };
        my $defined = defined $shown->{p_value};
        my $significant = $defined && !$e->{week}
            && $adjusted[$i] < $e->{alpha};

        near($shown->{p_adjusted}, $defined ? $adjusted[$i] : undef,
            "$what: p adjusted (Holm)");
        significance_is($what, $shown, $significant);
    }

    return;
}


# Where a worker may have looked before, p is at least what it ever was; one
# that is decisive fell until the end, by the last visitors: it is the last.
sub smallest_p_is_right
{
    my ($what, $now, $smallest, $p) = @_;

    if (!defined $now) {
        is($p, undef, "$what: no smallest p yet");
        return;
    }

    cmp_ok($p, '<=', $now * (1 + 1e-9), "$what: smallest p: at most p now");
    near($p, $now, "$what: smallest p: the last one") if $now < DECISIVE;
    cmp_ok($p, '>=', $smallest * 0.9, "$what: smallest p: one that there was")
        if defined $smallest;

    return;
}


sub significance_is
{
    my ($what, $shown, $significant) = @_;

    is($shown->{significant}, $significant ? JSON::PP::true
        : JSON::PP::false, "$what: significant");
    like(defined $shown->{significant_at} ? $shown->{significant_at} : 'null',
        $significant ? qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ : qr/^null$/,
        "$what: since when");

    return;
}


sub comparison_is_right
{
    my ($what, $e, $metric, $now, $shown) = @_;

    is($shown->{status}, $now->{status}, "$what: status");
    near($shown->{$_}, $now->{$_}, "$what: $_") for qw(visitors difference
        difference_ci lift lift_ci ci_level p_now rate_adjusted
        control_rate_adjusted);

    exact_is_right($what, $metric, $now, $shown->{exact});
    posterior_is_right($what, $e, $metric, $now, $shown);

    is($shown->{bayesian}{peeking_safe}, JSON::PP::false,
        "$what: the Bayesian panel is not for peeking");
    is($shown->{fixed_horizon}{peeking_safe}, JSON::PP::false,
        "$what: nor is the fixed-horizon panel");
    if ($now->{visitors} < $e->{planned}) {
        is_deeply($shown->{fixed_horizon}, { p_value => undef,
            difference_ci => undef, valid => JSON::PP::false,
            peeking_safe => JSON::PP::false },
            "$what: fixed horizon: not before the planned size");
    }

    return;
}


sub exact_is_right
{
    my ($what, $metric, $now, $exact) = @_;

    if ($metric->[1] ne 'conversion') {
        is($exact, undef, "$what: exact: of conversions only");
        return;
    }

    my ($a, $b) = @$now{qw(a b)};
    my @share = shares($b);
    my $told = UxFigures::calc('conversion_split_sequential',
        { conversions_a => $a->{x}, conversions_b => $b->{x},
          share_a => $share[0], share_b => $share[1], concentration => 100,
          alpha => 1 - $now->{ci_level} });
    my $p = UxFigures::p_of(UxFigures::split_log_e([ $a->{x}, $b->{x} ],
        \@share, 100));

    cmp_ok($exact->{p_value}, '<=', $p * (1 + 1e-9),
        "$what: exact: p is at most that of the counts");
    near($told->{p}, $p, "$what: exact: calc says so, too", 1e-6);
    near($exact->{lift_ci}, whole($told->{uplift_lo}, $told->{uplift_hi}),
        "$what: exact: interval", 1e-6);

    return;
}


# Weights of the control and of the arm with so many visitors.
sub shares
{
    my ($b) = @_;

    my ($arm) = grep { $sums->{$_}{n} == $b->{n} } @ARMS[1, 2];
    my $all = $WEIGHT{control} + $WEIGHT{$arm};

    return ($WEIGHT{control} / $all, $WEIGHT{$arm} / $all);
}


# One that has no upper end is an interval still.
sub whole { return defined $_[0] ? [ @_ ] : undef }


sub posterior_is_right
{
    my ($what, $e, $metric, $now, $shown) = @_;

    my ($better, $loss, $loss_control);

    if ($metric->[1] eq 'conversion') {
        my $told = UxFigures::calc('bayes_beta_binomial',
            { prior_alpha => 1, prior_beta => 1, map { $_ => { visitors =>
            $now->{$_}{n}, conversions => $now->{$_}{x} } } 'a', 'b' });
        ($better, $loss, $loss_control)
            = @$told{qw(prob_b_gt_a loss_choose_b loss_choose_a)};

    } else {
        ($better, $loss, $loss_control) = UxFigures::normal_posterior($now);
    }

    if (($e->{lower} || '') eq $metric->[0]) {
        ($better, $loss) = (1 - $better, $loss_control);
    }

    near($shown->{probability_better}, $better, "$what: P(better)", 1e-5);
    near($shown->{expected_loss}, $loss, "$what: expected loss", 1e-5);

    return;
}


sub secondary_ones_are_right
{
    my ($name, $e, $got) = @_;

    my $family = @{ $e->{metrics} } * (@ARMS - 1);
    my (@shown, @log_e);

    for my $arm (@ARMS[1, 2]) {
        for my $metric (@{ $e->{metrics} }) {
            my $now = now($e, $metric, $arm, $sums, $family);
            my $shown = shown($got->{variants}{$arm}, $metric)->{vs_control};
            my $what = "$name: $arm: @$metric";

            comparison_is_right($what, $e, $metric, $now, $shown);
            smallest_p_is_right($what, $now->{p_now}, undef,
                $shown->{p_value});
            push @shown, [ $what, $shown ];
            push @log_e, $now->{log_e};
        }
    }

    my @adjusted = UxFigures::e_bh(@log_e);

    for my $i (0 .. $#shown) {
        my ($what, $shown) = @{ $shown[$i] };
        near($shown->{p_adjusted}, $adjusted[$i],
            "$what: p adjusted (e-BH)");
        significance_is($what, $shown, $adjusted[$i] < $e->{alpha});
    }

    return;
}


sub guardrail_is_right
{
    my ($name, $e, $got) = @_;

    my $metric = $e->{guardrail};

    for my $arm (@ARMS[1, 2]) {
        my $now = now($e, $metric, $arm, $sums, 1);
        my $shown = shown($got->{variants}{$arm}, $metric);
        my $versus = $shown->{vs_control};
        my ($lo, $hi) = @{ $now->{lift_ci} };

        ($lo, $hi) = (-$hi, -$lo) if ($e->{lower} || '') eq $metric->[0];
        my $guard = $hi < -$e->{margin} ? 'harmed'
            : $lo > -$e->{margin} ? 'ok' : 'unclear';

        comparison_is_right("$name: $arm: @$metric", $e, $metric, $now,
            $versus);
        is($guard, $e->{guard}, "$name: $arm: guardrail: as it was meant");
        is($shown->{guardrail}, $guard, "$name: $arm: guardrail");
        near($versus->{p_adjusted}, $versus->{p_value},
            "$name: $arm: guardrail: stands for itself");
    }

    return;
}


sub decision_is_right
{
    my ($name, $e, $got) = @_;

    if ($e->{status}) {
        is(shown($got->{variants}{$_}, $e->{goals}[0])->{vs_control}{status},
            $e->{status}, "$name: $_: status") for @ARMS[1, 2];
    }

    is($got->{verdict}, $e->{verdict} || 'collecting', "$name: verdict");
    is($got->{winner}, $e->{winner}, "$name: winner");
    is_deeply($got->{waiting_for}, $e->{waiting}
        || [ 'gate', 'significance' ], "$name: what it waits for");
    is_deeply($got->{problems}, [], "$name: no problems");

    return;
}


sub split_is_right
{
    my ($name, $got) = @_;

    my @visitors = map { $sums->{$_}{n} } @ARMS;
    my @weights = map { $WEIGHT{$_} } @ARMS;
    my $p = UxFigures::p_of(UxFigures::split_log_e(\@visitors, \@weights,
        1000));
    my $chi_square = sum0 map { my $want = VISITORS * $weights[$_] / 100;
        ($visitors[$_] - $want) ** 2 / $want } 0 .. 2;
    my $srm = $got->{srm};

    is($srm->{method}, 'sequential_multinomial', "$name: srm: method");
    is($srm->{ok}, JSON::PP::true, "$name: srm: ok");
    cmp_ok($srm->{p_value}, '<=', $p, "$name: srm: p is the smallest");
    near($srm->{p_now}, $p, "$name: srm: p of the counts");
    near($srm->{chi_square_p}, exp(-$chi_square / 2),
        "$name: srm: chi-square, two degrees of freedom");

    return;
}


# With keys everybody is confirmed at once: all assigned are the visitors.
sub all_assigned_are_right
{
    my ($name, $e, $got) = @_;

    my $metric = $e->{goals}[0];
    my $control = sample($e, $metric, $sums->{control});

    for my $arm (@ARMS) {
        my $shown = $got->{intention_to_treat}{variants}{$arm};
        my $sample = sample($e, $metric, $sums->{$arm});
        my $now = $arm eq 'control' ? {} : now($e, $metric, $arm, $sums, 1);

        is($shown->{assigned}, $sums->{$arm}{n}, "$name: all: $arm");
        near($shown->{rate}, $sample->{mean}, "$name: all: $arm: rate");
        near($shown->{difference}, $now->{difference},
            "$name: all: $arm: difference");
        near($shown->{p_value}, $now->{p_now}, "$name: all: $arm: p");
    }

    return;
}


sub documents_are_strict
{
    my $text = $t->get('/uxstats')->body;

    unlike($text, qr/[:\[,]\s*"?[-+]?(?:nan|inf)/i,
        'document: nothing is NaN or infinite');

    return;
}


sub parts_are_the_same
{
    my $all = $document{2}{full};
    my $connection = $t->connection;

    for my $path ('variants/steps/metrics/purchase/vs_control', 'srm',
        'variants/one_page/metrics/purchase/vs_control/exact',
        'intention_to_treat', 'verdict', 'winner', 'waiting_for')
    {
        my $part = $all;
        $part = $part->{$_} for split m{/}, $path;

        for my $time (1, 2) {
            my $answer = $connection->request('GET',
                "/uxstats/api/1/zones/shop/experiments/full/$path");
            is_deeply(JSON::PP->new->allow_nonref->decode($answer->body),
                $part, "part: $path, the $time. time");
        }
    }

    return;
}


sub workers_agree
{
    for my $all (values %document) {
        remove_looks($_) for values %$all;
    }

    is_deeply($document{1}, $document{2}, '1 worker: the same as 2');
    is_deeply($document{4}, $document{2}, '4 workers: the same as 2');

    return;
}


# Times, and the smallest p where it may be of an earlier look: see above.  The
# fixed horizon is that of the first look behind "planned", which a slow
# machine has in the midst of the visits.
sub remove_looks
{
    my ($value) = @_;

    if (ref $value eq 'ARRAY') {
        remove_looks($_) for @$value;
    }

    return unless ref $value eq 'HASH';

    delete @$value{qw(started_at runtime_seconds significant_at
        fixed_horizon seconds upstream_seconds)};
    if (exists $value->{p_now}
        && !(defined $value->{p_now} && $value->{p_now} < DECISIVE))
    {
        delete @$value{qw(p_value p_adjusted)};
        delete $value->{exact}{p_value} if $value->{exact};
    }
    remove_looks($_) for values %$value;

    return;
}


# The same number, or both bounds the same, or neither there.
sub near
{
    my ($got, $want, $what, $relative) = @_;

    my @got = ref $got ? @$got : $got;
    my @want = ref $want ? @$want : $want;
    my $wrong = @got != @want;

    for my $i (0 .. $#want) {
        last if $wrong;
        my ($g, $w) = ($got[$i], $want[$i]);
        $wrong = defined $g != defined $w || (defined $g
            && abs($g - $w) > 1e-12 + ($relative || 1e-9) * abs $w);
    }

    ok(!$wrong, $what) or diag(sprintf '     got: %s%swanted: %s',
        show(@got), "\n", show(@want));

    return;
}


sub show { return join ', ', map { defined $_ ? $_ : 'undef' } @_ }
