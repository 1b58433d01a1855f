package BenchGoals;

# Copyright (C) the nginx-ux authors
#
# The goals, worked out of the rows: what was measured, what it may be.

use strict;
use warnings;


# In order: { id, what, value, goal, met }; met is undef where the value is
# not there.  $r: { row => instructions, micro => ..., store => ..., time =>
# ... }, as t/bench/run gathers them.
sub all
{
    my ($r) = @_;

    return (instructions($r->{row}), clocked($r), zone($r));
}


sub instructions
{
    my ($row) = @_;

    my $of = sub {
        my ($name, $base, $factor) = @_;
        return $row->{$base} ? $row->{$name} / $row->{$base} : undef;
    };
    my $known = $row->{'known / proxied'};
    my $worst = 0;

    for my $kind (qw/ static return proxied /) {
        my $n = $row->{"not active / $kind"};
        $worst = $n if $n > $worst;
    }

    my @goals = (
        limit('P1', 'loaded, server not active: instructions', $worst, 100),
        limit('P2', 'asset of a confirmed visitor: instructions',
            $row->{asset}, 400),
        limit('P3', 'all on, known visitor: x split_clients',
            $of->('known / proxied', 'split / proxied'), 0.75),
        limit('P4', 'and an event recorded: x split_clients',
            $of->('event', 'split / proxied'), 1),
        limit('P5', 'each further experiment: instructions',
            $row->{'each further'}, 150),
        limit('P6', 'new visitor: x userid issuing',
            $of->('new / proxied', 'userid issuing / proxied'), 1.5),
    );

    for my $other ([ 'lua_lean', 'leanest Lua', 9 ],
        [ 'lua_visitor', 'Lua with visitors', 10 ],
        [ 'auth', 'auth_request, its service left out', 10 ])
    {
        my ($name, $what, $times) = @$other;
        push @goals, limit('P7', "P3: x $what",
            $of->('known / proxied', "$name / proxied"), 1 / $times);
    }

    my ($few, $many) = @{$row}{'known, of 100 visitors',
        'known, of 20000 visitors'};
    push @goals, limit('P9', 'of 20,000 visitors: x of 100',
        $few && $many ? $many / $few : undef, 1.02);
    push @goals, limit('P11', 'JSON instructions, 20,000 visitors: x 100',
        $of->('JSON, 20000 visitors', 'JSON, 100 visitors'), 1.05);
    push @goals, limit('P13', 'beacon: x a body read and thrown away',
        $row->{'bare / body'} ? $row->{beacon} / $row->{'bare / body'}
            : undef, 2);

    return @goals;
}


sub clocked
{
    my ($r) = @_;

    my $time = $r->{time} || return ();
    my $median = sub { $time->{$_[0]} ? $time->{$_[0]}{median} : undef };
    my @goals;

    for my $kind ([ static => 1.04 ], [ return => 1.06 ], [ proxied => 1.04 ])
    {
        my ($name, $limit) = @$kind;
        my ($ours, $split) = map { $median->("$_ / $name") } qw/ ours split /;
        push @goals, limit('P8', "CPU, $name: x bare", $ours, $limit),
            limit('P8', "CPU, $name: points over split_clients",
                100 * ($ours - $split), 2);
    }

    my $wait = $time->{'p99 ours / proxied'};
    my $same = $time->{'p99 bare again / proxied'};
    push @goals, limit('P8', 'p99, proxied: x bare; bare against itself '
        . sprintf('%.3f .. %.3f', @$same{qw/ least most /}),
        $wait->{median}, $same->{most});
    push @goals, limit('P9', 'CPU, 400,000 visitors: points over 100',
        100 * ($r->{growth}{median} - 1), 2) if $r->{growth};

    return @goals;
}


sub zone
{
    my ($r) = @_;

    my ($micro, $store, $pages) = @$r{qw/ micro store pages /};
    my $two = $store ? $store->{'two processes on 1000000 visitors'} : undef;
    my @goals;

    for my $experiments (1, 4) {
        my ($most) = sort { $b <=> $a } map { $micro->{$_}{fetched} }
            grep { /^visitor of $experiments looked up/ }
            keys %{ $micro || {} };
        push @goals, limit('P9', 'cold lines a look-up, visitor of '
            . "$experiments experiment" . ($experiments > 1 ? 's' : ''),
            $most, 3);
    }

    push @goals, least('P10', 'two processes on 10^6 visitors: x one',
        $two->{times}, 1.9) if $two;
    push @goals, limit('P12', 'bytes a visitor',
        $store->{'bytes a visitor'}{bytes}, 160) if $store;

    for my $name (qw/ JSON metrics page /) {
        my ($few, $many) = @{ $pages || {} }{ "$name, 1000 visitors",
            "$name, 1000000 visitors" };
        next if !$few || !$many;
        push @goals, limit('P11', "$name at 50 x 5 x 4, 10^6 visitors: ms",
            $many->{median}, 50), limit('P11', "$name: x 10^3 visitors",
            $many->{median} / $few->{median}, 1.05);
    }

    if (defined $r->{latency}) {
        push @goals, { id => 'P14', what => 'p99 while a snapshot runs '
            . '(make check-faults GOALS=15)', value => undef, goal => 'kept',
            met => $r->{latency} };
    }

    return @goals;
}


# At most so much.
sub limit
{
    my ($id, $what, $value, $goal) = @_;

    return { id => $id, what => $what, value => $value, goal => $goal,
        met => defined $value ? $value <= $goal ? 1 : 0 : undef };
}


sub least
{
    my ($id, $what, $value, $goal) = @_;

    return { id => $id, what => $what, value => $value, goal => $goal,
        met => defined $value ? $value >= $goal ? 1 : 0 : undef,
        at_least => 1 };
}


# Instructions = base + experiments * each + ..., in one line.
sub law
{
    my ($row) = @_;

    my $known = $row->{'known / proxied'};
    my $each = $row->{'each further'};

    return sprintf '%.0f + %.0f an experiment + %.0f an event + %.0f a new '
        . 'visitor; %.1f for ten times the visitors', $known - $each, $each,
        $row->{event} - $known, $row->{'new / proxied'} - $known,
        ($row->{'known, of 20000 visitors'} - $row->{'known, of 100 visitors'})
            / (log(200) / log(10));
}


1;
