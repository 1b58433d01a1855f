#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What operations of src/ take of instructions and of lines of cache, by
# callgrind's simulated ones: they repeat whatever else the machine does.
# "make bench" prints them, with their time.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib", "$FindBin::Bin/bench";
use BenchMicro;
use UxCost;


plan skip_all => 'valgrind is not there, or without its headers'
    if !Ux::has_callgrind() || system 'echo "#include <valgrind/callgrind.h>" '
        . '| ${CC:-cc} -E -x c - >/dev/null 2>&1';
plan skip_all => 'a sanitizer is no measure' if $ENV{TEST_NGINX_PRELOAD};

chdir "$FindBin::Bin/.." or die "$FindBin::Bin: $!";

my $said = `make -j2 BUILD=build bench-programs 2>&1`;
is($?, 0, 'the micro-benchmarks build') or diag substr $said, -4000;

my @many = (1000, 10_000, 100_000);
my $op = BenchMicro::measure('build/bench/ux_micro', \&note, 0, 'assign',
    (map { "touch $_" } @many), 'touch 100000 4', 'steps', 'report 8');


# No more than a third over what it was, instructions and lines of data; so
# much another compiler may take.

my %was = (
    'assignment, two variants' => [ 630, 33 ],
    'visitor of 1 looked up, of 100000' => [ 1000, 40 ],
    'visitor of 1 touched, of 100000' => [ 2780, 76 ],
    'visitor of 4 looked up, of 100000' => [ 1400, 75 ],
    'visitor of 4 touched, of 100000' => [ 4500, 142 ],
    'funnel step, counted' => [ 1480, 50 ],
    'value into a histogram' => [ 76, 9 ],
    'look at an experiment, once a second' => [ 25700, 164 ],
    'statistics of an experiment' => [ 82000, 433 ],
    'statistics and JSON of an experiment' => [ 830000, 1290 ],
    'statistics and JSON, counts as they were' => [ 764000, 1280 ],
);

for my $name (sort keys %was) {
    my ($instructions, $lines) = @{ $was{$name} };

    cmp_ok($op->{$name}{instructions}, '<=', $instructions * 4 / 3,
        "$name: instructions");
    cmp_ok($op->{$name}{lines}, '<=', $lines * 4 / 3, "$name: lines");
    cmp_ok($op->{$name}{lines}, '>=', 4, '... and it touches some');
}


# Of a visitor memory is what costs: the heads of two buckets and a slot's
# first line; a record of more than 40 bytes has another one.  Where lines of
# the stack begin hangs on the length of what the program is called with.

for my $what ('looked up', 'touched') {
    my ($few, undef, $most) = map { $op->{"visitor of 1 $what, of $_"} } @many;
    my $four = $op->{"visitor of 4 $what, of 100000"};

    cmp_ok($most->{fetched}, '<=', 3, "P9, $what: three lines at most");
    cmp_ok($most->{fetched}, '>=', 2.7, '... and they are not there already');
    cmp_ok($four->{fetched}, '<=', 4, 'of four experiments: four lines');
    cmp_ok($most->{instructions}, '<=', 1.02 * $few->{instructions},
        'a hundred times the visitors: no more instructions');
    cmp_ok($most->{instructions}, '>=', 0.98 * $few->{instructions},
        '... and no fewer');
    cmp_ok($most->{lines}, '<=', $few->{lines} + 4, '... and no more lines');
}


# What has no visitor's record to look for finds all it needs

for my $name ('assignment, two variants', 'funnel step, counted',
    'value into a histogram')
{
    cmp_ok($op->{$name}{fetched}, '<=', 0.1, "$name: is in the cache");
}

cmp_ok($op->{'statistics and JSON of an experiment'}{instructions}, '>',
    1.04 * $op->{'statistics and JSON, counts as they were'}{instructions},
    'new counts are worked out, those that stayed are kept');

done_testing();
