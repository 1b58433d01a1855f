#!/usr/bin/env perl

# Copyright (C) the nginx-ux authors
#
# t/mutations.txt says how each rule is taken out of the source and which
# tests fail then; t/check-mutations tries it, at length.  Here: that the table
# is whole, that every line it takes out is there, once, and that its tests
# are those of t/reliability.txt; and that mistakes in it are told.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxMutation;


# Rows of t/reliability.txt, each with a mutation, and how many of each.
my %ROWS = (B => 17, D => 12, J => 8, R => 15);

# Guards: what is in no row.
my $GUARDS = 20;

my $root = "$FindBin::Bin/..";
my $text = slurp("$root/t/mutations.txt");
my %tests = tests_of_rows(slurp("$root/t/reliability.txt"));
my %source;

my @wrong = complaints($text);

is(scalar @wrong, 0, 'the table is whole, and its lines are there')
    or diag(join "\n", @wrong);

mistakes_are_found();
rules_are_taken_out();
how_many_there_are();

done_testing();


# What is wrong with a table.
sub complaints
{
    my ($table) = @_;

    my ($all, @wrong) = UxMutation::parse(split /^/m, $table);
    my %row;

    for my $entry (grep { $_->{file} } @$all) {
        $row{$1} = 1 if $entry->{id} =~ /^([A-Z]\d\d)\b/;
        push @wrong, place_complaints($entry), test_complaints($entry);
    }

    push @wrong, map { "$_: has no mutation" } grep { !$row{$_} } rows();
    push @wrong, 'few guards'
        if $GUARDS > grep { $_->{id} !~ /^[A-Z]\d\d/ } @$all;

    return @wrong;
}


sub rows
{
    return map { my $kind = $_; map { sprintf '%s%02d', $kind, $_ }
        1 .. $ROWS{$kind} } sort keys %ROWS;
}


sub place_complaints
{
    my ($entry) = @_;

    my ($id, $file) = @$entry{qw(id file)};

    return "$id: \"$file\" is no file of ours"
        if $file !~ m{^(?:src|src/cli|ngx_module)/\w+\.c$};
    return "$id: $file is not there" unless -f "$root/$file";

    $source{$file} ||= slurp("$root/$file");

    my $n = UxMutation::places($source{$file}, $entry);

    return $n == 1 ? () : "$id: is $n times in $file";
}


sub test_complaints
{
    my ($entry) = @_;

    my ($id) = $entry->{id};
    my ($row) = $id =~ /^([A-Z]\d\d)\b/;
    my @wrong;

    push @wrong, "$id: no such row" if $row && !$tests{$row};

    for my $test (@{ $entry->{tests} }) {
        if (!-f "$root/$test") {
            push @wrong, "$id: $test is not there";

        } elsif ($row && $tests{$row} && !$tests{$row}{$test}) {
            push @wrong, "$id: $test is no test of $row";
        }
    }

    return @wrong;
}


# The files that are named for each row.
sub tests_of_rows
{
    my ($table) = @_;

    my (%tests, $row);

    for my $line (split /\n/, $table) {
        next if $line =~ /^#/;
        $row = $1 if $line =~ /^([A-Z]\d\d)\s/;
        $tests{$row}{$1} = 1 if $line =~ m{\s(t/\S+\.[tc]): };
    }

    return %tests;
}


# Each of these tables has one mistake more, and that is told.
sub mistakes_are_found
{
    my @cases = (
        [ 'a row without a mutation',
            sub { s/^B17\b.*\n(?: +\S.*\n)*//m }, 'B17: has no mutation' ],
        [ 'an id twice', sub { s/^B02\.length\b/B02.x/m; s/^B03\b/B02.x/m },
            'B02.x: twice', 'B03: has no mutation' ],
        [ 'a row nobody knows', sub { s/^B02\.length\b/B18/m },
            'B18: no such row' ],
        [ 'a line that is not there', sub {
            s/^( +- +report->node = )/$1no_/m },
            'B14: is 0 times in ngx_module/ngx_http_ux_stats.c' ],
        [ 'a line that is there twice',
            sub { s{^(R05\.trust.*\n.*\n +- +).*}{$1return any;}m },
            'R05.trust: is 2 times in src/ux_result_verdict.c' ],
        [ 'a file that is not there',
            sub { s{^(R07\.optional.*\n.*src/ux_)funnel}{$1tunnel}m },
            'R07.optional: src/ux_tunnel.c is not there' ],
        [ 'a file that is no source',
            sub { s{^(R07\.optional.*\n +in +)\S+}{${1}t/house}m },
            'R07.optional: "t/house" is no file of ours' ],
        [ 'a test of another row',
            sub { s{^(B10 .*\n(?:.*\n)*?.*)test_mac}{$1test_bot}m },
            'B10: t/unit/test_bot.c is no test of B10' ],
        [ 'a test that is not there',
            sub { s{^(B10 .*\n(?:.*\n)*?.*)test_mac}{$1test_mace}m },
            'B10: t/unit/test_mace.c is not there' ],
        [ 'a mutation without a test',
            sub { s{^(B10 .*\n(?:.*\n)*?) +red.*\n}{$1}m }, 'B10: no test' ],
        [ 'a mutation that changes nothing',
            sub { s{^(B10 .*\n(?:.*\n)*?.*)UX_MAC_LEN / 2}{$1UX_MAC_LEN}m },
            'B10: changes nothing' ],
        [ 'a word nobody knows',
            sub { s{^(B10 .*\n(?:.*\n)*? +)red}{$1blue}m },
            '"     blue    t/unit/test_mac.c" is no line of an entry',
            'B10: no test' ],
    );

    for my $case (@cases) {
        my ($name, $spoil, @complaints) = @$case;
        local $_ = $text;
        $spoil->();
        my %known = map { $_ => 1 } @wrong;
        is_deeply([ sort grep { !$known{$_} } complaints($_) ],
            [ sort @complaints ], "told: $name");
    }

    return;
}


# That lines are found whatever stands before them, and what comes of it.
sub rules_are_taken_out
{
    my $source = "int\nf(void)\n{\n    if (a) {\n        b();\n    }\n\n"
        . "    if (c) {\n        b();\n    }\n}\n";

    my ($all) = UxMutation::parse(split /^/m, <<'EOF');
one  a call that is there twice, told by the line before it
     in     x.c
     .      if (c) {
     -      b();
     red    t/x.t
two  both of them
     in     x.c
     -      b();
     +      d();
     red    t/x.t
EOF

    my ($one, $two) = @$all;
    my ($mutant, $line) = UxMutation::apply($source, $one);

    is($mutant, "int\nf(void)\n{\n    if (a) {\n        b();\n    }\n\n"
        . "if (c) {\n    }\n}\n", 'a line is taken out where it is meant');
    is($line, 8, 'and its place is known');
    is(scalar(my @none = UxMutation::apply($source, $two)), 0,
        'what is there twice is not');

    is_deeply([ map { UxMutation::kind($_) } qw(src/ux_x.c src/cli/uxctl_x.c
        ngx_module/ngx_http_ux_x.c) ], [ qw(core cli glue) ],
        'and what is to be built of a file is known');

    return;
}


sub how_many_there_are
{
    my ($all) = UxMutation::parse(split /^/m, $text);
    my @mutations = grep { $_->{file} } @$all;
    my $of_rows = grep { $_->{id} =~ /^[A-Z]\d\d/ } @mutations;

    diag(sprintf '%d mutations: %d of %d rows, %d of guards',
        scalar @mutations, $of_rows, scalar(my @rows = rows()),
        @mutations - $of_rows);

    return;
}


sub slurp
{
    my ($path) = @_;

    open my $in, '<', $path or die "$path: $!";
    local $/;

    return scalar <$in>;
}
