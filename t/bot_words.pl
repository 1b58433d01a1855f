#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Brings src/ux_bot_words.h into order after an edit of its words: sorts them
# as ux_bot.c wants them and writes the tables after them anew.
#
#   t/bot_words.pl            rewrites the file
#   t/bot_words.pl --check    exit status 1 if that would change it

use strict;
use warnings;

use FindBin;

use constant { PAIRS => 1024, FILTER_BITS => 4096 };


my $path = "$FindBin::Bin/../src/ux_bot_words.h";
my $check = @ARGV && $ARGV[0] eq '--check';

my $old = contents($path);
my @words = $old =~ /^ *UX_BOT_WORD\("([^"]+)", (\w+, \w+)\),?$/mg;
my %rest_of;

while (my ($word, $rest) = splice @words, 0, 2) {
    die "\"$word\" is there twice\n" if exists $rest_of{$word};
    die "\"$word\" has not 3 to 22 bytes\n" if $word !~ /^.{3,22}$/;
    die "\"$word\" is not in lower case\n" if $word =~ /[A-Z]/;
    $rest_of{$word} = $rest;
}

my @sorted = sort { pair($a) <=> pair($b) || $a cmp $b } keys %rest_of;

my $new = $old;
replace(\$new, 'ux_bot_words[]',
    map { "UX_BOT_WORD(\"$_\", $rest_of{$_})" } @sorted);
replace(\$new, 'ux_bot_pairs[1025]', rows(15, pairs()));
replace(\$new, 'ux_bot_filter[64]', rows(3, filter()));

exit($new eq $old ? 0 : 1) if $check;

open my $out, '>', $path or die "$path: $!\n";
print $out $new;
close $out or die "$path: $!\n";


sub contents
{
    my ($name) = @_;

    open my $in, '<', $name or die "$name: $!\n";
    local $/;

    return scalar <$in>;
}


# Five bits of each of the first two bytes.
sub pair
{
    my ($word) = @_;

    my ($first, $second) = map { ord($_) % 32 } split //, substr $word, 0, 2;

    return $first * 32 + $second;
}


# Entry n: how many words stand before those of pair n.
sub pairs
{
    my @before = (0) x (PAIRS + 1);

    $before[pair($_) + 1]++ for @sorted;
    $before[$_] += $before[$_ - 1] for 1 .. PAIRS;

    return @before;
}


sub filter
{
    my @bits = (0) x FILTER_BITS;

    $bits[bit($_)] = 1 for @sorted;

    return map { sprintf '0x%sull', unpack 'H16', pack 'B64',
        join '', reverse @bits[$_ * 64 .. $_ * 64 + 63] }
        0 .. FILTER_BITS / 64 - 1;
}


# As ux_bot_passes(): five bits, which upper and lower case have in common.
sub bit
{
    my ($word) = @_;

    my $packed = 0;
    $packed = $packed << 5 | ord($_) & 31 for split //, substr $word, 0, 3;

    return ($packed * 40503 >> 8) % FILTER_BITS;
}


# Values, so many on a line.
sub rows
{
    my ($width, @values) = @_;

    my @rows;
    push @rows, join ', ', splice @values, 0, $width while @values;

    return @rows;
}


sub replace
{
    my ($text, $name, @lines) = @_;

    my $body = join ",\n", map { "    $_" } @lines;

    $$text =~ s/(\Q$name\E = \{\n).*?^\};$/$1$body\n};/ms
        or die "no $name\n";

    return;
}
