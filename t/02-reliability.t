#!/usr/bin/env perl

# Copyright (C) the nginx-ux authors
#
# t/reliability.txt says of every row of the list of faults and of every
# counting rule where it is tested, why it is not, or what it waits for.  This
# holds it to that; and the holding itself is tried on tables with one mistake.

use strict;
use warnings;

use FindBin;
use Test::More;


# Rows, and how many of each.
my %ROWS = (A => 14, B => 17, C => 15, D => 12, E => 9, F => 8, G => 20,
    H => 13, I => 5, J => 8, R => 15);

# Of these none may be without a test for good: not even a reason will do.
my $TESTED = qr/^[BDJR]/;

my $root = "$FindBin::Bin/..";
my %names;

my $text = slurp("$root/t/reliability.txt");
my @rows = map { my $kind = $_; map { sprintf '%s%02d', $kind, $_ }
    1 .. $ROWS{$kind} } sort keys %ROWS;

is(scalar @rows, 121 + 15, 'rows there are');
my @wrong = complaints($text);
is(scalar @wrong, 0, 'the table is whole, and true')
    or diag(join "\n", @wrong);

mistakes_are_found();
what_is_open();

done_testing();


# What is wrong with a table.
sub complaints
{
    my ($table) = @_;

    my ($entries, @wrong) = parse($table);
    my %wanted = map { $_ => 1 } @rows;
    my %seen;

    for my $entry (@$entries) {
        push @wrong, "$entry->{id}: no such row" unless $wanted{$entry->{id}};
        push @wrong, "$entry->{id}: twice" if $seen{$entry->{id}}++;
        push @wrong, entry_complaints($entry);
    }

    push @wrong, map { "$_: missing" } grep { !$seen{$_} } @rows;

    return @wrong;
}


# Entries (id, state, lines), and lines that belong to none.
sub parse
{
    my ($table) = @_;

    my (@entries, @wrong);

    for my $line (split /\n/, $table) {
        next if $line =~ /^#|^\s*$/;

        if ($line =~ /^([A-Z]\d\d)\s+(\w+)\s*(.*?)\s*$/) {
            push @entries, { id => $1, state => $2, lines => [ $3 ] };

        } elsif (@entries && $line =~ /^\s+(\S.*?)\s*$/) {
            push @{ $entries[-1]{lines} }, $1;

        } else {
            push @wrong, "$line: belongs to no row";
        }
    }

    return (\@entries, @wrong);
}


sub entry_complaints
{
    my ($entry) = @_;

    my ($id, $state, @lines) = (@$entry{qw(id state)}, @{ $entry->{lines} });

    if ($state eq 'tested') {
        return map { test_complaints($id, $_) } @lines;
    }

    if ($state !~ /^(?:reason|open)$/) {
        return "$id: \"$state\" is no state";
    }

    my $why = $state eq 'open' ? shift @lines : join ' ', @lines;

    return "$id: says neither why nor what for" if $why !~ /\w{3}/;
    return "$id: has to be tested" if $state eq 'reason' && $id =~ $TESTED;
    return $state eq 'open' ? map { test_complaints($id, $_) } @lines : ();
}


sub test_complaints
{
    my ($id, $line) = @_;

    my ($file, $words) = $line =~ /^(t\/\S+\.[tch]): (\S.*)$/
        or return "$id: \"$line\" names no test";

    return "$id: $file is not there" unless -f "$root/$file";
    return "$id: \"$words\" tells too little" if length $words < 6;

    $names{$file} ||= names_in($file, slurp("$root/$file"));

    return () if index($names{$file}, $words) >= 0;
    return "$id: $file has no check \"$words\"";
}


# The lines of a test where a name may be: with a string, outside comments.
sub names_in
{
    my ($file, $source) = @_;

    if ($file =~ /\.t$/) {
        $source =~ s/^\s*#.*//mg;

    } else {
        $source =~ s{/\*.*?\*/}{}gs;
    }

    return join "\n", grep { /["']/ } split /\n/, $source;
}


# Each of these tables has one mistake, and that is told.
sub mistakes_are_found
{
    my $good = "B01  tested  t/unit/test_mac.c: RFC 4231, case 1\n";
    my $c01 = qr/^C01.*\n(?:[ ]+\S.*\n)*/m;

    my @cases = (
        [ 'a row less', sub { s/^B07.*\n(?:\s+\S.*\n)*//m },
            'B07: missing' ],
        [ 'a row twice', sub { $_ .= $good }, 'B01: twice' ],
        [ 'a row nobody knows', sub { $_ .= $good =~ s/B01/B18/r },
            'B18: no such row' ],
        [ 'a file that is not there',
            sub { s{t/unit/test_mac\.c}{t/unit/test_mace.c} },
            'B10: t/unit/test_mace.c is not there' ],
        [ 'a check that is not there',
            sub { s/all 16 are compared/all 17 are compared/ },
            'B10: t/unit/test_mac.c has no check "all 17 are compared"' ],
        [ 'words of a comment', sub { s/all 16 are compared/Test cases of/ },
            'B10: t/unit/test_mac.c has no check "Test cases of"' ],
        [ 'words that any test has', sub { s/all 16 are compared/is/ },
            'B10: "is" tells too little' ],
        [ 'a test without words', sub { s/: all 16 are compared// },
            'B10: "t/unit/test_mac.c" names no test' ],
        [ 'another state', sub { s/$c01/C01  soon  it is there\n/ },
            'C01: "soon" is no state' ],
        [ 'open, and no word of what for', sub { s/$c01/C01  open\n/ },
            'C01: says neither why nor what for' ],
        [ 'a reason where a test must be',
            sub { s/^J08.*\n(?:\s+\S.*\n)*/J08  reason  nobody can tell\n/m },
            'J08: has to be tested' ],
        [ 'a reason and no word of it', sub { s/$c01/C01  reason\n/ },
            'C01: says neither why nor what for' ],
        [ 'a line before all rows', sub { $_ = " t/x.t: words\n$_" },
            ' t/x.t: words: belongs to no row' ],
    );

    for my $case (@cases) {
        my ($name, $spoil, $complaint) = @$case;
        local $_ = $text;
        $spoil->();
        is_deeply([ complaints($_) ], [ $complaint ], "told: $name");
    }

    my $fine = $text =~ s/$c01/C01  reason  it cannot happen\n/r;
    is_deeply([ complaints($fine) ], [], 'a reason is an answer elsewhere');

    return;
}


# Not a failure, but not to be forgotten.
sub what_is_open
{
    my ($entries) = parse($text);
    my (%number, %open);

    for my $entry (@$entries) {
        $number{$entry->{state}}++;
        push @{ $open{$entry->{lines}[0]} }, $entry->{id}
            if $entry->{state} eq 'open';
    }

    diag(sprintf 'of %d rows %d are tested, %d have a reason, %d are open',
        scalar @rows, map { $number{$_} || 0 } qw(tested reason open));
    note("open: $_: @{ $open{$_} }") for sort keys %open;

    return;
}


sub slurp
{
    my ($path) = @_;

    open my $in, '<', $path or die "$path: $!";
    local $/;

    return scalar <$in>;
}
