#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# A lift that is not there.  Two equal arms; 20,000 visitors at 50/50, who
# convert at 5 %, then a reload to 90/10 and 20,000 new ones, who convert at
# 2 %.  The variant has more of the good old days among its visitors: pooled,
# it looks half as good again, and "significantly".  Epoch by epoch nothing is
# to be seen.
#
# Who converts is a matter of the visitor's number alone.  Some who came
# before the reload buy only after it: variant and epoch are those of the day
# they came.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;
use UxShopper;
use UxTest;

use constant { VISITORS => 20_000, LATE => 2_000 };


my $t = Ux::nginx(workers => 2, conf => conf(50, 50))->start;

# visitor number to variant; what the arms of both epochs must hold
my %variant_of;
my @expected = map { { control => [ 0, 0 ], one_page => [ 0, 0 ] } } 0, 1;

first_epoch();
nothing_changes_by_a_reload(50, 50, 1);
second_epoch();
nothing_changes_by_a_reload(90, 10, 2);
late_buyers_return();

my $result = $t->stats('/zones/shop/experiments/layout');
my $versus = $result->{variants}{one_page}{metrics}{purchase}{vs_control};

counts_are_exact();
pooled_there_is_a_lift();
epoch_by_epoch_there_is_none();

$t->no_alerts;

done_testing();


sub conf
{
    my ($control, $one_page) = @_;

    return <<"CONF";
ux_zone shop 16m;
ux_experiment layout {
    variant control  $control;
    variant one_page $one_page;
    goal purchase;
    min_runtime 0;
}
access_log off;
client_header_buffer_size 16k;
keepalive_requests 1000000;
server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key \$arg_v;
    add_header X-Told \$ux_variant_layout always;
    location / {
        ux_expose layout;
        ux_event purchase if=\$arg_buy;
        return 204;
    }
    location /uxstats { ux_stats; }
}
CONF
}


# Of the visitors' variants, whatever they are, this knows nothing.
sub buys { return UxShopper::chance('buys', $_[0]) < $_[1] }
sub late { return $_[0] <= LATE }
sub path { return "/?v=guest$_[0]" . ($_[1] ? '&buy=1' : '') }


sub first_epoch
{
    come(0, 1 .. VISITORS);
    is(epochs(), 1, 'first epoch: is the only one');

    return;
}


sub second_epoch
{
    ok($t->reload(conf => conf(90, 10)), 'second epoch: reloaded');
    come(1, VISITORS + 1 .. 2 * VISITORS);
    is(epochs(), 2, 'second epoch: opened by the reload');

    return;
}


# Newcomers, who buy at once or not at all; the late ones do it later.
sub come
{
    my ($epoch, @visitors) = @_;

    my $rate = $epoch == 0 ? 0.05 : 0.02;
    my @buys = map { buys($_, $rate) && !late($_) } @visitors;
    my @told = UxShopper::visit($t->port,
        [ map { path($visitors[$_], $buys[$_]) } 0 .. $#visitors ],
        clients => 2);

    for my $i (0 .. $#visitors) {
        my $arm = $expected[$epoch]{$told[$i]} or die "told: $told[$i]\n";
        $variant_of{$visitors[$i]} = $told[$i];
        $arm->[0]++;
        $arm->[1]++ if $buys[$i];
    }

    return;
}


sub nothing_changes_by_a_reload
{
    my ($control, $one_page, $n) = @_;

    ok($t->reload(conf => conf($control, $one_page)),
        "$control/$one_page: the same file again");
    is(epochs(), $n, "$control/$one_page: the same file opens no epoch");

    return;
}


sub late_buyers_return
{
    my @visitors = grep { late($_) } sort { $a <=> $b } keys %variant_of;
    my @buys = map { buys($_, 0.05) } @visitors;
    my @told = UxShopper::visit($t->port,
        [ map { path($visitors[$_], $buys[$_]) } 0 .. $#visitors ]);

    is_deeply(\@told, [ map { $variant_of{$_} } @visitors ],
        'back from the first epoch: the variants are the same');

    for my $i (grep { $buys[$_] } 0 .. $#visitors) {
        $expected[0]{$told[$i]}[1]++;
    }

    return;
}


sub epochs
{
    return scalar @{ $t->stats('/zones/shop/experiments/layout/epochs') };
}


sub counts_are_exact
{
    for my $arm (qw(control one_page)) {
        my $variant = $result->{variants}{$arm};
        my @pooled = pooled($arm);

        is($variant->{visitors}, $pooled[0], "counts: $arm: visitors");
        is($variant->{metrics}{purchase}{visitors}, $pooled[1],
            "counts: $arm: converters");
    }

    is_deeply([ map { [ $_->{epoch}, $_->{visitors}, $_->{weights} ] }
        @{ $result->{epochs} } ],
        [ [ 1, VISITORS, { control => 50, one_page => 50 } ],
          [ 2, VISITORS, { control => 90, one_page => 10 } ] ],
        'counts: who returns is of the first epoch still');

    for my $field (qw(moved_visitors crossover_visitors)) {
        is($result->{$field}, 0, "counts: $field");
    }

    return;
}


# Visitors and converters of an arm, as if there were no epochs.
sub pooled
{
    my ($arm) = @_;

    return map { $expected[0]{$arm}[$_] + $expected[1]{$arm}[$_] } 0, 1;
}


sub pooled_there_is_a_lift
{
    my %input = (alpha => 0.05, a => counts(pooled('control')),
        b => counts(pooled('one_page')));
    my $lift = calc('relative_uplift_proportion', %input);
    my $fixed = calc('two_proportion_diff', %input);
    my $sequential = calc('uplift_fieller_sequential', %input,
        n_star => 10_000);

    diag(sprintf 'pooled: %+.1f %%, p %.2g; reported: %+.1f %%, p %.2g,'
        . ' lift %.3f .. %.3f', 100 * $lift->{uplift}, $fixed->{p_pooled},
        100 * $versus->{lift}, $versus->{p_value}, @{ $versus->{lift_ci} });

    cmp_ok(abs($lift->{uplift} - 0.47), '<', 0.05, 'pooled: about +47 %');
    cmp_ok($fixed->{p_pooled}, '<', 0.05, 'pooled: p is below 0.05');
    cmp_ok($lift->{fieller_lo}, '>', 0, 'pooled: 0 is outside the interval');
    cmp_ok($sequential->{uplift_lo}, '>', 0,
        'pooled: a sequential test would not help');

    return;
}


sub epoch_by_epoch_there_is_none
{
    my ($lo, $hi) = @{ $versus->{lift_ci} };
    my $told = calc('stratified_sequential', alpha => 0.05, n_star => 10_000,
        epochs => [ map { my $epoch = $_;
            { a => counts(@{ $epoch->{control} }),
              b => counts(@{ $epoch->{one_page} }) } } @expected ]);

    cmp_ok($lo, '<', 0, 'reported: the interval contains 0, from below');
    cmp_ok($hi, '>', 0, 'reported: and from above');
    cmp_ok($hi, '<', 0.47, 'reported: its upper end is below the phantom');
    is($result->{srm}{ok}, JSON::PP::true, 'reported: the split is right');
    is($result->{srm}{p_value}, 1, 'reported: and nobody doubts it');
    is($versus->{significant}, JSON::PP::false, 'reported: not significant');
    is($result->{winner}, undef, 'reported: no winner');
    is($result->{verdict}, 'inconclusive',
        'reported: the planned size is reached');
    is_deeply([ map { $_->{used} } @{ $result->{epochs} } ],
        [ JSON::PP::true, JSON::PP::true ], 'reported: from both epochs');
    is_deeply($told->{epochs_used}, [ 1, 2 ], 'calc: uses both epochs');

    my %pairs = (
        difference => [ $versus->{difference}, $told->{diff} ],
        lift => [ $versus->{lift}, $told->{uplift} ],
        'p now' => [ $versus->{p_now}, $told->{p} ],
        'lowest difference' => [ $versus->{difference_ci}[0],
            $told->{diff_lo} ],
        'highest difference' => [ $versus->{difference_ci}[1],
            $told->{diff_hi} ],
        'lowest lift' => [ $lo, $told->{uplift_lo} ],
        'highest lift' => [ $hi, $told->{uplift_hi} ],
    );

    for my $what (sort keys %pairs) {
        my ($got, $want) = @{ $pairs{$what} };
        cmp_ok(abs($got - $want), '<=', 1e-9 * abs $want,
            "reported: $what, as calc says it of the epochs");
    }

    return;
}


sub counts { return { visitors => $_[0], conversions => $_[1] } }


sub calc
{
    my ($kind, %input) = @_;

    my ($status, $text) = Ux::uxctl([ 'calc', $kind ],
        JSON::PP->new->canonical->encode(\%input) . "\n");
    die "uxctl calc $kind: exit $status: $text" if $status;

    return JSON::PP->new->decode($text);
}
