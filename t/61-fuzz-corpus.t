#!/usr/bin/env perl

# Copyright (C) the nginx-ux authors
#
# Every reader of foreign bytes, with ASan and UBSan, on its seeds and on some
# thousand mutations of them, always the same.  "make fuzz" runs millions.

use strict;
use warnings;

use File::Basename qw/ basename /;
use File::Temp qw/ tempdir /;
use FindBin;
use Test::More;


plan skip_all => 'this is a run under sanitizers already'
    if $ENV{TEST_NGINX_PRELOAD};

chdir "$FindBin::Bin/.." or die "$FindBin::Bin: $!";

# A snapshot takes longer than a line.
my %runs = (image => 5_000);
my $runs = 20_000;
my $build = 'build/fuzz';
my $dir = tempdir(CLEANUP => 1);

my $said = `make -j2 BUILD=build fuzzers 2>&1`;

is($?, 0, 'the fuzzers build') or diag substr $said, -4000;

my @targets = map { basename($_) =~ /^fuzz_(\w+)\.c$/ } glob 't/fuzz/fuzz_*.c';

cmp_ok(scalar @targets, '>=', 13, 'one for each reader');

for my $target (@targets) {
    my @seeds = glob "t/fuzz/corpus/$target/*";

    cmp_ok(scalar @seeds, '>', 2, "$target: has seeds");
}

my %of;

push @{ $of{$runs{$_} || $runs} }, $_ for @targets;

for my $n (sort { $a <=> $b } keys %of) {
    my @fuzzers = map { "$build/fuzz_$_" } @{ $of{$n} };

    $said = `perl t/fuzz/run --jobs=2 --runs=$n @fuzzers 2>&1`;

    is($?, 0, "no finding in $n") or diag $said;

    for my $target (@{ $of{$n} }) {
        my @seeds = glob "t/fuzz/corpus/$target/*";
        my $all = $n + @seeds;

        like($said, qr/^\Q$target\E\s+$all\s.*no finding$/m,
            "$target: all seeds and $n mutations");
    }
}


# That a fault would be seen: a target with some, each of them for one letter.

my $compile = 'gcc -std=c11 -D_GNU_SOURCE -g -O1 -Isrc -It/fuzz'
    . ' -fsanitize=address,undefined -fno-sanitize-recover=all'
    . ' -fsanitize-coverage=trace-pc';

save("$dir/planted.c", <<'EOC');
#include "fuzz.h"

const char *const  fuzz_words[] = { "no", NULL };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ux_str_t        copy = fuzz_copy(data, size);
    volatile int    zero = 0, sum = 0x7fffffff;
    volatile char   c;

    if (size == 3 && data[0] == 'F' && data[1] == 'U') {
        switch (data[2]) {
        case 'R': c = copy.data[size]; break;
        case 'S': sum += 1 - zero; break;
        case 'A': fuzz_check(zero);
        case 'T': while (!zero) { sum = 1; } break;
        case 'L': copy = fuzz_copy(data, size); c = copy.data[0]; break;
        case 'M': fuzz_free(copy); break;
        }
    }

    fuzz_free(copy);

    return 0;
}
EOC

my $planted = "$dir/fuzz_planted -seed=1 -artifact_prefix=$dir/ $dir/seed";

$compile .= " -o $dir/fuzz_planted $dir/planted.c";
$said = `$compile $build/driver.o $build/mutate.o 2>&1`;
is($?, 0, 'planted: builds') or diag $said;

for my $case (
    ['R', 'a byte beyond the end', qr/heap-buffer-overflow/, 'crash'],
    ['S', 'a sum that overflows', qr/signed integer overflow/, 'crash'],
    ['A', 'what does not hold', qr/does not hold: zero/, 'crash'],
    ['M', 'freed twice', qr/double-free/, 'crash'],
    ['T', 'one that takes too long', qr/timeout/, 'timeout'],
    ['L', 'a leak', qr/LeakSanitizer/, 'leak'])
{
    my ($letter, $name, $pattern, $result) = @$case;

    save("$dir/seed", "FU$letter");
    $said = `$planted -runs=10 2>&1`;

    is($? >> 8, 1, "planted: $name: exit status");
    like($said, $pattern, "planted: $name: said");
    like($said, qr/: \Q$result\E$/m, "planted: $name: as a $result");

    next if $result eq 'leak';

    my ($input) = $said =~ /bytes, is in (\S+)/;

    is(slurp($input // ''), "FU$letter", "planted: $name: the input is kept");
}

save("$dir/seed", 'FUx');
$said = `$planted -runs=200000 2>&1`;
is($? >> 8, 1, 'planted: mutations find one') or diag $said;

my $again = `$planted -runs=200000 2>&1`;
my ($first, $second) = map { /(\d+) executions/ } $said, $again;

is($second, $first, 'planted: the same seed, the same one');

done_testing;


sub save
{
    my ($path, $text) = @_;

    open my $out, '>:raw', $path or die "$path: $!";
    print $out $text;
    close $out or die "$path: $!";

    return;
}


sub slurp
{
    my ($path) = @_;

    open my $in, '<:raw', $path or return '';
    local $/;

    return <$in>;
}
