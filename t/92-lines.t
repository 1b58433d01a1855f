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
use BenchZone;
use UxCost;


plan skip_all => 'valgrind is not there, or without its headers'
    if !Ux::has_callgrind() || system 'echo "#include <valgrind/callgrind.h>" '
        . '| gcc -E -x c - >/dev/null 2>&1';
plan skip_all => 'a sanitizer is no measure' if $ENV{TEST_NGINX_PRELOAD};

chdir "$FindBin::Bin/.." or die "$FindBin::Bin: $!";

my $said = `make -j2 BUILD=build bench-programs 2>&1`;
is($?, 0, 'the micro-benchmarks build') or diag substr $said, -4000;

my @many = (1000, 10_000, 100_000);
my $op = BenchZone::micro('build/bench/ux_micro', \&note, 0, 'assign',
    (map { "touch $_" } @many), 'steps', 'report 4');

is(scalar keys %$op, 13, 'all operations are there');
cmp_ok($op->{$_}{lines}, '>=', 2, "$_: touches memory") for sort keys %$op;


# Of a visitor memory is what costs: a bucket's head and a slot.  Where lines
# of the stack begin hangs on the environment.

for my $what ('looked up', 'touched') {
    my ($few, undef, $most) = map { $op->{"visitor $what, of $_"} } @many;

    cmp_ok($most->{fetched}, '<=', 3, "P9, $what: three lines at most");
    cmp_ok($most->{fetched}, '>=', 2, '... and it is not there already');
    cmp_ok($most->{instructions}, '<=', 1.02 * $few->{instructions},
        'a hundred times the visitors: no more instructions');
    cmp_ok($most->{lines}, '<=', $few->{lines} + 4, '... and no more lines');
}


# What has no visitor's record to look for finds all it needs

for my $name ('assignment, two variants', 'funnel step, counted',
    'value into a histogram')
{
    cmp_ok($op->{$name}{fetched}, '<=', 0.5, "$name: is in the cache");
}

cmp_ok($op->{'value into a histogram'}{instructions}, '<=', 100,
    'a value into a histogram: a hundred instructions');
cmp_ok($op->{'value into a histogram'}{lines}, '<=', 12, '... twelve lines');

done_testing();
