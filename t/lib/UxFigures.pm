package UxFigures;

# Copyright (C) the nginx-ux authors
#
# What /uxstats has to say of given counts, worked out anew from the formulas
# and not by the module's code.  An arm of an epoch is a sample { n, x, mean,
# error }: visitors, those with the event, estimate and its variance; undef is
# undefined.  A stratum is a pair of them, the control first.

use strict;
use warnings;

use JSON::PP ();
use List::Util qw(max min sum0);
use POSIX ();
use UxTest;

use constant { GATE_CONVERTERS => 25, GATE_VISITORS => 500,
    PI => 4 * atan2(1, 1) };


sub conversion
{
    my ($n, $x) = @_;

    my $p = $n > 0 ? $x / $n : undef;

    return { n => $n, x => $x, mean => $p,
        error => defined $p ? $p * (1 - $p) / $n : undef };
}


# From exact sums of whole units, of which `scale` are one in the document.
sub mean
{
    my ($n, $x, $sum, $squares, $scale) = @_;

    my $v = variance($n, $sum, $squares);

    return { n => $n, x => $x, mean => $n > 0 ? $sum / $n / $scale : undef,
        error => defined $v ? $v / $n / $scale ** 2 : undef };
}


# Value per event: sums of values y and of counts z over visitors.
sub ratio
{
    my ($n, $x, $y, $z, $yy, $zz, $yz, $scale) = @_;

    return { n => $n, x => $x } if $n < 2 || $z == 0;

    my $r = $y / $z;
    my $covariance = ($n * $yz - $y * $z) / ($n * ($n - 1));
    my $spread = variance($n, $y, $yy) + $r ** 2 * variance($n, $z, $zz)
        - 2 * $r * $covariance;

    return { n => $n, x => $x, mean => $r / $scale,
        error => $spread / $n / ($z / $n) ** 2 / $scale ** 2 };
}


sub variance
{
    my ($n, $sum, $squares) = @_;

    return $n < 2 ? undef : ($n * $squares - $sum ** 2) / ($n * ($n - 1));
}


# Wilson's interval of x of n, 95 %.
sub wilson
{
    my ($x, $n) = @_;

    my $z = 1.959963984540054;
    my $centre = ($x + $z ** 2 / 2) / ($n + $z ** 2);
    my $half = $z / ($n + $z ** 2) * sqrt($x * ($n - $x) / $n + $z ** 2 / 4);

    return [ $x == 0 ? 0 : $centre - $half, $x == $n ? 1 : $centre + $half ];
}


# What vs_control says of the counts as they are.  Analysis: alpha, planned,
# level.
sub compare
{
    my ($strata, %analysis) = @_;

    my ($a, $b) = pooled(@$strata);
    my %now = (visitors => $a->{n} + $b->{n}, a => $a, b => $b,
        gate => gate($a, $b), lift => undef, lift_ci => undef,
        difference => undef, difference_ci => undef, log_e => undef,
        p_now => undef, rate_adjusted => $b->{mean},
        control_rate_adjusted => $a->{mean},
        ci_level => 1 - $analysis{level});

    if (defined $a->{mean}) {
        $now{difference} = $b->{mean} - $a->{mean};
        $now{error} = $a->{error} + $b->{error};
        $now{lift} = $b->{mean} / $a->{mean} - 1 if $a->{mean} != 0;
    }
    $now{status} = status(\%now);
    sequence(\%now, %analysis) if $now{gate} && $now{error} > 0;

    return \%now;
}


# Overlap weights; an epoch with fewer than two visitors in an arm is out.
sub pooled
{
    my (@strata) = @_;

    my @in = grep { $_->[0]{n} >= 2 && $_->[1]{n} >= 2
        && defined $_->[0]{mean} && defined $_->[1]{mean} } @strata;
    my @weight = map { $_->[0]{n} * $_->[1]{n} / ($_->[0]{n} + $_->[1]{n}) }
        @in;
    my $all = sum0 @weight;

    return map { my $arm = $_; my %sum = (n => 0, x => 0);
        for my $h (0 .. $#in) {
            my $w = $weight[$h] / $all;
            $sum{$_} += $in[$h][$arm]{$_} for 'n', 'x';
            $sum{mean} += $w * $in[$h][$arm]{mean};
            $sum{error} += $w ** 2 * $in[$h][$arm]{error};
        }
        \%sum } 0, 1;
}


sub gate
{
    my (@arms) = @_;

    return $arms[0]{n} + $arms[1]{n} >= GATE_VISITORS && !grep {
        $_->{x} < GATE_CONVERTERS || $_->{n} - $_->{x} < GATE_CONVERTERS }
        @arms;
}


sub status
{
    my ($now) = @_;

    return 'insufficient_data'
        if !defined $now->{difference} || $now->{a}{x} + $now->{b}{x} == 0;
    return 'baseline_zero' if $now->{a}{mean} == 0;
    return 'zero_variance' if $now->{error} == 0;

    return $now->{gate} ? 'ok' : 'insufficient_data';
}


sub sequence
{
    my ($now, %analysis) = @_;

    my $reach = -2 * log $analysis{alpha};
    my $q = $now->{visitors} * ($reach + log(1 + $reach))
        / $analysis{planned};
    my $z = sqrt(2 * ($q + 1) / $q
        * log(sqrt($q + 1) / $analysis{level}));
    my $d = $now->{difference};
    my $half = $z * sqrt $now->{error};

    $now->{z} = $z;
    $now->{log_e} = $q / ($q + 1) * $d ** 2 / $now->{error} / 2
        - log(1 + $q) / 2;
    $now->{p_now} = min(1, exp -$now->{log_e});
    $now->{difference_ci} = [ $d - $half, $d + $half ];
    $now->{lift_ci} = fieller($now->{a}, $now->{b}, $z);

    return;
}


sub fieller
{
    my ($a, $b, $z) = @_;

    my $r = $b->{mean} / $a->{mean};
    my $g = $z ** 2 * $a->{error} / $a->{mean} ** 2;
    return undef if $g >= 1;

    my $half = $z / $a->{mean}
        * sqrt($b->{error} * (1 - $g) + $r ** 2 * $a->{error});

    return [ map { ($r + $_ * $half) / (1 - $g) - 1 } -1, 1 ];
}


# A Beta-free posterior: normal, of a difference under a flat prior; P(B > A),
# E[(A - B)+], E[(B - A)+].
sub normal_posterior
{
    my ($now) = @_;

    my ($m, $s) = ($now->{difference}, sqrt $now->{error});
    my $better = POSIX::erfc(-$m / $s / sqrt 2) / 2;
    my $worse = POSIX::erfc($m / $s / sqrt 2) / 2;
    my $density = $s * exp(-($m / $s) ** 2 / 2) / sqrt(2 * PI);

    return ($better, $density - $m * $worse, $density + $m * $better);
}


# log Bayes factor of counts against shares (Dirichlet-multinomial).
sub split_log_e
{
    my ($counts, $shares, $concentration) = @_;

    my $all = sum0 @$shares;
    my $log_e = POSIX::lgamma($concentration)
        - POSIX::lgamma($concentration + sum0 @$counts);

    for my $i (0 .. $#$counts) {
        my $share = $shares->[$i] / $all;
        $log_e += POSIX::lgamma($concentration * $share + $counts->[$i])
            - POSIX::lgamma($concentration * $share)
            - $counts->[$i] * log $share;
    }

    return $log_e;
}


sub p_of { return min(1, exp -$_[0]) }


# Holm's adjusted p, in the order given.
sub holm
{
    my (@p) = @_;

    my @order = sort { $p[$a] <=> $p[$b] } 0 .. $#p;
    my ($so_far, @adjusted) = (0);

    for my $j (0 .. $#order) {
        $so_far = max($so_far, min(1, (@p - $j) * $p[$order[$j]]));
        $adjusted[$order[$j]] = $so_far;
    }

    return @adjusted;
}


# The level at which e-BH first rejects each, from log e.
sub e_bh
{
    my (@log_e) = @_;

    my @order = sort { $log_e[$b] <=> $log_e[$a] } 0 .. $#log_e;
    my ($so_far, @adjusted) = (1);

    for my $j (reverse 0 .. $#order) {
        $so_far = min($so_far, @log_e / (($j + 1) * exp $log_e[$order[$j]]));
        $adjusted[$order[$j]] = $so_far;
    }

    return @adjusted;
}


# `uxctl calc` of many inputs, all of one kind; one result for each.
sub calc
{
    my ($kind, @inputs) = @_;

    my $json = JSON::PP->new->canonical;
    my ($status, $text) = Ux::uxctl([ 'calc', $kind ],
        join '', map { $json->encode($_) . "\n" } @inputs);
    die "uxctl calc $kind: exit $status: $text" if $status;

    my @results = map { $json->decode($_) } split /\n/, $text;
    die "uxctl calc $kind: $text" if @results != @inputs;

    return wantarray ? @results : $results[0];
}


1;
