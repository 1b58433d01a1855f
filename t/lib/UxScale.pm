package UxScale;

# Copyright (C) the nginx-ux authors
#
# How much of a test: "make test" takes the small numbers that are written in
# it, "make check-faults" others, by the environment.
#
#     use UxScale;
#
#     use constant KILLS => UxScale::count('KILLS', 30);  # TEST_UX_KILLS=100
#
#     UxScale::run(qw(a_restart two_servers));   # TEST_UX_ONLY=two_servers
#     UxScale::figure('workers killed', kills => 30, lost => 0);
#
# A figure is a line of the output, "# figure: workers killed: 30 kills, 0
# lost", that t/check-faults picks up.

use strict;
use warnings;

use Test::More ();


sub count
{
    my ($name, $usual) = @_;

    my $value = $ENV{"TEST_UX_$name"};

    return defined $value && $value =~ /^[1-9]\d*$/ ? $value : $usual;
}


# The scenarios of a test in order, or those that were asked for.
sub run
{
    my @names = @_;

    my %only = map { $_ => 1 } split /[\s,]+/, $ENV{TEST_UX_ONLY} || '';
    my ($package) = caller;

    die "no such scenario: $_\n"
        for grep { my $n = $_; !grep { $_ eq $n } @names } sort keys %only;

    for my $name (grep { !%only || $only{$_} } @names) {
        $package->can($name)->();
    }

    return;
}


# Values by what they are of, in order.
sub figure
{
    my ($name, @values) = @_;

    my @said;
    while (my ($what, $value) = splice @values, 0, 2) {
        push @said, "$value $what";
    }

    Test::More::note("figure: $name: " . join ', ', @said);

    return;
}


# Least, middle, 95 of 100 and most of some numbers, of which there is one.
sub spread
{
    my @sorted = sort { $a <=> $b } @_;

    return sprintf '%.3f/%.3f/%.3f/%.3f',
        map { $sorted[int($_ * $#sorted + 0.5)] } 0, 0.5, 0.95, 1;
}


1;
