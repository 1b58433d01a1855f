#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# The core's tests, and the tests of what comes from outside, with core and
# module under ASan and UBSan, in a stock nginx.  "make check-asan" runs the
# whole suite, with an nginx built alike.

use strict;
use warnings;

use FindBin;
use Test::More;


plan skip_all => 'this is a run under sanitizers already'
    if $ENV{TEST_NGINX_PRELOAD};

my $root = "$FindBin::Bin/..";

chdir $root or die "$root: $!";

my @tests = glob 't/2*.t t/30*.t t/32*.t t/33*.t t/34*.t t/40*.t t/42*.t '
    . 't/46*.t t/47*.t t/50*.t t/71*.t t/80*.t';

my $flags = '"$(t/check-asan --flags)"';
my $build = `make -j2 BUILD=build-asan SANITIZE=$flags all units 2>&1`;

is($?, 0, 'core, tools and module build under the sanitizers')
    or diag substr $build, -4000;

my @units = grep { !/test_kill/ } glob 'build-asan/t/test_*';

cmp_ok(scalar @units, '>', 20, 'the core has its tests');

my $output = `t/check-asan --preload @tests @units 2>&1`;

is($?, 0, 'and they pass') or diag substr $output, -6000;
like($output, qr/^Result: PASS$/m, 'all of them');
unlike($output, qr/AddressSanitizer|runtime error:|LeakSanitizer/,
    'without a report');

done_testing();
