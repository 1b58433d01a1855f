package UxMutation;

# Copyright (C) the nginx-ux authors
#
# t/mutations.txt: reading it, and taking a rule out of a source.

use strict;
use warnings;


# Reads the table: a list of { id, what, file, old, new, tests, crash } or
# { id, what, reason }, then what is wrong with it.  old and new are lists of
# lines.
sub read_table
{
    my ($path) = @_;

    open my $in, '<', $path or die "$path: $!\n";
    my @lines = <$in>;
    close $in;

    return parse(@lines);
}


sub parse
{
    my @lines = @_;

    my (@all, @wrong, %seen);

    for my $line (@lines) {
        $line =~ s/\s+$//;
        next if $line =~ /^#/ || $line eq '';

        if ($line =~ /^([A-Za-z][\w.-]*)\s+(\S.*)$/) {
            push @wrong, "$1: twice" if $seen{$1}++;
            push @all, { id => $1, what => $2, old => [], new => [],
                tests => [] };

        } elsif (!@all || !entry_line($all[-1], $line)) {
            push @wrong, "\"$line\" is no line of an entry";
        }
    }

    return (\@all, @wrong, map { entry_wrong($_) } @all);
}


sub entry_line
{
    my ($entry, $line) = @_;

    my ($word, $rest) = $line =~ /^\s+(\S+)(?:\s+(\S.*))?$/ or return 0;

    $rest = '' if !defined $rest;

    if ($word =~ /^[.+-]$/) {
        push @{ $entry->{old} }, $rest if $word ne '+';
        push @{ $entry->{new} }, $rest if $word ne '-';

    } elsif ($word eq 'red') {
        push @{ $entry->{tests} }, split ' ', $rest;

    } elsif ($word =~ /^(?:in|crash|reason)$/) {
        $entry->{$word eq 'in' ? 'file' : $word} = $rest;

    } else {
        return 0;
    }

    return 1;
}


sub entry_wrong
{
    my ($entry) = @_;

    my $id = $entry->{id};

    if (defined $entry->{reason}) {
        return $entry->{file} || @{ $entry->{tests} } || @{ $entry->{old} }
            ? "$id: a reason, and a mutation" : ();
    }

    return ($entry->{file} ? () : "$id: no file",
        @{ $entry->{old} } ? () : "$id: no line to change",
        "@{ $entry->{old} }" ne "@{ $entry->{new} }" ? ()
            : "$id: changes nothing",
        @{ $entry->{tests} } ? () : "$id: no test");
}


# Where the entry's lines are in a source: numbers of lines, from 0.
sub places
{
    my ($source, $entry) = @_;

    my @lines = map { s/^\s+|\s+$//gr } split /\n/, $source, -1;
    my @old = @{ $entry->{old} };
    my @places;

    PLACE: for my $at (0 .. @lines - @old) {
        for my $i (0 .. $#old) {
            next PLACE if $lines[$at + $i] ne $old[$i];
        }

        push @places, $at;
    }

    return @places;
}


# The source without the rule and the number of the first line changed, or
# nothing.
sub apply
{
    my ($source, $entry) = @_;

    my @places = places($source, $entry);

    return if @places != 1;

    my @lines = split /\n/, $source, -1;

    splice @lines, $places[0], scalar @{ $entry->{old} }, @{ $entry->{new} };

    return (join("\n", @lines), $places[0] + 1);
}


# What a file is a part of: "core", "cli" or "glue".
sub kind
{
    my ($file) = @_;

    return 'core' if $file =~ m{^src/ux_};

    return $file =~ m{^src/cli/} ? 'cli' : 'glue';
}


sub save
{
    my ($path, $text) = @_;

    open my $out, '>:raw', $path or die "$path: $!\n";
    print $out $text;
    close $out or die "$path: $!\n";

    return;
}


1;
