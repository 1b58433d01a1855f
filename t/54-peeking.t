#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Experiments between two variants that are the same, looked at all the time:
# the same visitors are in all of them, each experiment splits them in its own
# way, and who buys is a matter of the visitor alone.  With alpha 0.05 no more
# than 5 % may ever have a winner, in as many experiments as these no more than
# that and 3 standard errors; and the shares are never to be called wrong.
#
# At the same looks an ordinary z test would have found far more.
#
# TEST_UX_PEEKING is the number of experiments, 200 being the full run.  A
# visitor's record holds 16 experiments: for each 16 there is a location, in
# which every visitor has a name of its own.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(sum0);
use Test::More;
use UxShopper;
use UxTest;

use constant {
    EXPERIMENTS => $ENV{TEST_UX_PEEKING} || 200,
    VISITORS => 20_000, LOOKS => 100, RATE => 0.05, ALPHA => 0.05,
    HELD => 16, SRM_MAX => 1,
};


my $groups = int((EXPERIMENTS + HELD - 1) / HELD);
my $size = 8 + 6 * $groups;

my $t = Ux::nginx(workers => 2, conf => conf())->start;

# names of experiments: with a winner at any look, with one by a z test
my (%won, %fooled, $last);

for my $look (0 .. LOOKS - 1) {
    crowd($look);
    watch();
}

everybody_was_counted();
hardly_anything_wins();
shares_are_right();

$t->no_alerts;

done_testing();


# One metric line, so that there is nothing but the goal.
sub conf
{
    my $conf = "ux_zone shop ${size}m experiments=@{[ HELD ]};\n"
        . "access_log off;\nclient_header_buffer_size 16k;\n"
        . "keepalive_requests 1000000;\n";

    for my $n (0 .. EXPERIMENTS - 1) {
        $conf .= "ux_experiment e$n { variant a 50; variant b 50;"
            . " goal purchase; metric purchase; min_runtime 0; }\n";
    }

    $conf .= "server {\nlisten 127.0.0.1:%%PORT%%;\n"
        . "ux_visitor_key \$arg_v;\n";
    for my $group (0 .. $groups - 1) {
        my @names = map { "e$_" } grep { $_ < EXPERIMENTS }
            $group * HELD .. $group * HELD + HELD - 1;
        $conf .= "location = /$group { ux_expose @names;"
            . " ux_event purchase if=\$arg_buy; return 204; }\n";
    }

    return "$conf location /uxstats { ux_stats; }\n}\n";
}


# The visitors between two looks; each visits once in every group, one visitor
# after the other, so that all experiments are equally far at every look.
sub crowd
{
    my ($look) = @_;

    my $n = VISITORS / LOOKS;
    my @paths;

    for my $visitor ($look * $n .. $look * $n + $n - 1) {
        my $buys = buys($visitor) ? '&buy=1' : '';
        push @paths, map { "/$_?v=$visitor.$_$buys" } 0 .. $groups - 1;
    }
    UxShopper::visit($t->port, \@paths, clients => 2);

    return;
}


sub buys { return UxShopper::chance('buys', $_[0]) < RATE }


sub watch
{
    $last = look();

    for my $name (keys %$last) {
        my $e = $last->{$name};
        $won{$name} = 1 if $e->{verdict} =~ /better/;
        $fooled{$name} = 1 if z_test(@{ $e->{counts} }) > 1.959964;
    }

    return;
}


# All experiments, read without a JSON parser: those of Perl take a second.
sub look
{
    my $text = $t->get('/uxstats/api/1/zones/shop/experiments')->body;

    my %all;

    for my $part (split /(?="e\d+":\{"state")/, $text) {
        my ($name) = $part =~ /^"(e\d+)"/ or next;
        my %e = (p => undef);

        ($e{verdict}) = $part =~ /"verdict":"(\w+)"/;
        ($e{srm}) = $part =~ /"srm":\{[^}]*"ok":(true|false)/;
        ($e{p}) = $part =~ /"p_value":([^,]+),"p_now"/;
        my @visitors = $part =~ /"visitors":(\d+),"confirmed_share"/g;
        my @converters = $part =~ /"role":"goal",[^}]*?"visitors":(\d+)/g;
        $e{counts} = [ map { [ $visitors[$_], $converters[$_] ] } 0, 1 ];
        $all{$name} = \%e;
    }

    return \%all;
}


# Pooled, as in a table of a textbook: the absolute value.
sub z_test
{
    my ($one, $other) = @_;

    my ($n, $x, $m, $y) = (@$one, @$other);

    return 0 unless $n && $m && $x + $y >= 50;

    my $p = ($x + $y) / ($n + $m);

    return abs($x / $n - $y / $m) / sqrt($p * (1 - $p) * (1 / $n + 1 / $m));
}


sub everybody_was_counted
{
    my $buyers = grep { buys($_) } 0 .. VISITORS - 1;
    my %sums = map { my @counts = @{ $_->{counts} };
        join(' ', map { my $k = $_; sum0 map { $_->[$k] } @counts } 0, 1)
            => 1 } values %$last;

    is(scalar keys %$last, EXPERIMENTS, 'counted: all experiments');
    is_deeply([ keys %sums ], [ join ' ', VISITORS, $buyers ],
        'counted: every visitor and buyer, in each of them');

    return;
}


sub hardly_anything_wins
{
    for my $name (keys %$last) {
        my $p = $last->{$name}{p};
        $won{$name} = 1 if $p ne 'null' && $p < ALPHA;
    }

    my $allowed = EXPERIMENTS
        * (ALPHA + 3 * sqrt(ALPHA * (1 - ALPHA) / EXPERIMENTS));

    diag(sprintf '%d experiments, %d looks: %d false winners (%.1f %%), by'
        . ' a z test %d (%.1f %%)', EXPERIMENTS, LOOKS,
        scalar keys %won, 100 * keys(%won) / EXPERIMENTS,
        scalar keys %fooled, 100 * keys(%fooled) / EXPERIMENTS);

    cmp_ok(scalar keys %won, '<=', $allowed, 'false winners: hardly any');
    cmp_ok(scalar keys %fooled, '>', $allowed,
        'false winners: a z test at the same looks finds many');

    return;
}


sub shares_are_right
{
    my $alarms = grep { $_->{srm} ne 'true' } values %$last;

    cmp_ok($alarms, '<=', SRM_MAX, 'shares: not called wrong');

    return;
}
