package UxOpenMetrics;

# Copyright (C) the nginx-ux authors
#
# A strict reader of OpenMetrics 1.0 and of the Prometheus text format 0.0.4,
# written from their specifications: it dies with a sentence at the first byte
# that they do not allow.  And a reader of RFC 4180.

use strict;
use warnings;

use Encode ();


my $name = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $label = qr/[a-zA-Z_][a-zA-Z0-9_]*/;
my $number = qr/[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?
    |Inf|NaN)/x;

# Endings of the samples of a type.
my %ENDINGS = (
    counter => [ '_total' ], gauge => [ '' ], stateset => [ '' ],
    info => [ '_info' ], histogram => [ qw(_bucket _count _sum) ],
    untyped => [ '' ],
);


# { family => { type, unit, help,
#               samples => [ [ name, { labels }, value ] ] } }
# of OpenMetrics; with older => 1 of the older format.
sub parse
{
    my ($text, %of) = @_;

    my $older = $of{older};

    Encode::decode('UTF-8', my $copy = $text, Encode::FB_CROAK);
    die "no line feed at the end\n" unless $text =~ /\n\z/;
    die "# EOF is not the last line\n"
        if !$older && $text !~ s/(?:\A|(?<=\n))# EOF\n\z//;

    my (%families, %seen, $current);
    my @lines = split /\n/, $text, -1;

    pop @lines;

    for my $line (@lines) {
        my $family = eval { _line(\%families, \%seen, $line, $older) };
        die "$@  in: $line\n" if $@;
        die "$family comes again\n"
            if $families{$family}{over}++ && $current ne $family;
        $current = $family;
    }

    _family($_, $families{$_}, $older) for sort keys %families;
    _names(\%families);

    return \%families;
}


# { 'name{label="value",...}' => value }, labels by name.
sub samples
{
    my ($families) = @_;

    my %samples;

    for my $family (values %$families) {
        $samples{_series($_->[0], $_->[1])} = $_->[2]
            for @{ $family->{samples} };
    }

    return \%samples;
}


# The family a line is of.
sub _line
{
    my ($families, $seen, $line, $older) = @_;

    die "an empty line\n" if $line eq '';

    if ($line =~ /^#/) {
        $line =~ /^# (TYPE|HELP|UNIT) ($name) (.*)\z/s
            or die "neither TYPE nor HELP nor UNIT\n";
        my ($word, $family, $value) = ($1, $2, $3);
        my $of = $families->{$family} ||= { samples => [] };
        die "$word twice\n" if exists $of->{$word};
        die "$word after a sample\n" if @{ $of->{samples} };
        die "UNIT\n" if $word eq 'UNIT' && $older;
        $of->{$word} = $word eq 'HELP' ? _unescape($value, $older ? qr/[\\n]/
            : qr/[\\"n]/) : $value;
        return $family;
    }

    $line =~ /\G($name)/gc or die "no metric name\n";
    my $sample = $1;
    my $labels = $line =~ /\G\{/gc ? _labels(\$line) : {};
    $line =~ /\G ($number)\z/gc or die "no value\n";
    my $value = $1;

    my $series = _series($sample, $labels);
    die "a series twice\n" if $seen->{$series}++;

    my ($family) = grep { $families->{$_} && _belongs($families->{$_}, $_,
        $sample, $older) } map { ($sample =~ /^(.*)\Q$_\E\z/s)[0] // () }
        '', qw(_total _bucket _count _sum _info);
    die "of no family\n" unless defined $family;
    push @{ $families->{$family}{samples} }, [ $sample, $labels, $value ];

    return $family;
}


sub _belongs
{
    my ($of, $family, $sample, $older) = @_;

    my $type = defined $of->{TYPE} ? $of->{TYPE} : 'untyped';
    my @endings = @{ $ENDINGS{$type} || die "type $type\n" };

    @endings = '' if $older && $type eq 'counter';

    return grep { "$family$_" eq $sample } @endings;
}


sub _labels
{
    my ($line) = @_;

    my %labels;

    while (1) {
        $$line =~ /\G($label)="((?:[^\\"\n]|\\.)*)"/gc or die "no label\n";
        die "the label $1 twice\n" if exists $labels{$1};
        my ($of, $value) = ($1, $2);
        $labels{$of} = _unescape($value, qr/[\\"n]/);
        last if $$line =~ /\G\}/gc;
        $$line =~ /\G,/gc or die "no comma\n";
    }

    return \%labels;
}


sub _unescape
{
    my ($value, $known) = @_;

    $value =~ s/\\(.)/
        $1 =~ m{^$known\z} or die "the escape \\$1\n";
        $1 eq 'n' ? "\n" : $1/gesx;

    return $value;
}


sub _series
{
    my ($sample, $labels) = @_;

    return $sample . '{' . join(',', map { "$_=\"$labels->{$_}\"" }
        sort keys %$labels) . '}';
}


sub _family
{
    my ($family, $of, $older) = @_;

    my $type = defined $of->{TYPE} ? $of->{TYPE} : die "$family: no type\n";
    my $unit = defined $of->{UNIT} ? $of->{UNIT} : '';
    my (%groups, %over);
    my $last = '';

    die "$family: no help\n" unless defined $of->{HELP};
    die "$family: the unit $unit\n"
        if $unit ne '' && $family !~ /_\Q$unit\E\z/;
    die "$family: the type $type\n" if $older
        && $type !~ /^(?:counter|gauge|histogram|untyped)\z/;

    for my $sample (@{ $of->{samples} }) {
        my ($name, $labels, $value) = @$sample;
        my %group = %$labels;
        delete @group{ $type eq 'histogram' ? 'le' : (),
            $type eq 'stateset' ? $family : () };
        my $group = _series('', \%group);

        die "$family: $group is parted\n" if $over{$group} && $last ne $group;
        $over{$group} = 1;
        $last = $group;
        push @{ $groups{$group} }, $sample;

        die "$family: $value is no count\n" if $type eq 'counter'
            && $value !~ /^[0-9.eE+]+\z/;
        die "$family: $value is not 1\n" if $type eq 'info' && $value ne '1';
        die "$family: no state\n" if $type eq 'stateset'
            && !($value =~ /^[01]\z/ && defined $labels->{$family});
    }

    if ($type eq 'histogram') {
        _histogram($family, $_, $older) for values %groups;
    }

    return;
}


sub _histogram
{
    my ($family, $samples, $older) = @_;

    my @buckets = grep { $_->[0] eq "${family}_bucket" } @$samples;
    my ($count) = grep { $_->[0] eq "${family}_count" } @$samples;
    my ($sum) = grep { $_->[0] eq "${family}_sum" } @$samples;
    my ($bound, $seen) = (-9**9**9, 0);

    die "$family: no buckets\n" unless @buckets;

    for (@buckets) {
        my $le = $_->[1]{le};
        die "$family: no bound\n" unless defined $le;
        die "$family: the bound $le\n"
            unless $le =~ /^(?:\+Inf|[0-9]+\.[0-9]+)\z/;
        my $at = $le eq '+Inf' ? 9**9**9 : $le;
        die "$family: $le is not above $bound\n" unless $at > $bound;
        die "$family: $_->[2] of $le\n"
            unless $_->[2] =~ /^[0-9]+\z/ && $_->[2] >= $seen;
        ($bound, $seen) = ($at, $_->[2]);
    }

    die "$family: no +Inf\n" unless $buckets[-1][1]{le} eq '+Inf';
    die "$family: a count and no sum\n" if !$older && !!$count ne !!$sum;
    die "$family: no count\n" if $older && !$count;
    die "$family: counts $count->[2]\n" if $count && $count->[2] ne $seen;

    return;
}


# No family's sample has the name that another's may have.
sub _names
{
    my ($families) = @_;

    my %of;

    for my $family (sort keys %$families) {
        my $type = $families->{$family}{TYPE};
        for my $name ($family, map { "$family$_" } @{ $ENDINGS{$type} }) {
            die "$name is of $of{$name} and of $family\n"
                if defined $of{$name} && $of{$name} ne $family;
            $of{$name} = $family;
        }
    }

    return;
}


# RFC 4180: [ [ field ... ] ... ]; each line ends in CR LF, all are as long.
sub parse_csv
{
    my ($text) = @_;

    my (@rows, @row);

    while ((pos($text) || 0) < length $text) {
        if ($text =~ /\G"((?:[^"]|"")*)"/gc) {
            (my $field = $1) =~ s/""/"/g;
            push @row, $field;

        } else {
            $text =~ /\G([^",\r\n]*)/gc;
            push @row, $1;
        }

        next if $text =~ /\G,/gc;
        $text =~ /\G\r\n/gc
            or die 'neither a comma nor a line end at ' . pos($text) . "\n";
        die 'a row of ' . @row . " fields\n" if @rows && @row != @{ $rows[0] };
        push @rows, [ @row ];
        @row = ();
    }

    die "no end of the last line\n" if @row;

    return \@rows;
}


1;
