package BenchMicro;

# Copyright (C) the nginx-ux authors
#
# Operations of src/, as t/bench/micro.c does them: their time, and what
# callgrind counts of them.

use strict;
use warnings;

use File::Temp ();
use JSON::PP ();


my @figures = qw/ ns instructions lines fetched /;

# As t/bench/micro_measure.c takes the caches to be: it sweeps the last one.
my @caches = ('--cache-sim=yes', '--I1=32768,8,64', '--D1=32768,8,64',
    '--LL=1048576,16,64');


# What operations take, by name: { ns, instructions, lines, fetched }.
# lines: different lines of data that one touches, its own stack with them;
# fetched: those that are not in a cache of 32 KB where such operations come
# one after the other.  Without the time where it is not wanted.
sub measure
{
    my ($program, $say, $with_time, @what) = @_;

    my %row;

    for my $what (@what) {
        my ($counts, @names) = counted($program, split ' ', $what);
        my $of = $with_time ? said($program, split ' ', $what) : {};

        for my $name (@names) {
            my $op = $row{$name} = { %{ $counts->{$name} },
                %{ $of->{$name} || {} } };
            $say->(sprintf '%-44s %s', $name, join ', ', map {
                "$_ $op->{$_}" } grep { exists $op->{$_} } @figures);
        }
    }

    return \%row;
}


# What the program itself says, by name.
sub said
{
    my ($program, @what) = @_;

    my %row;

    open my $out, '-|', $program, @what or die "$program: $!\n";

    while (defined(my $line = <$out>)) {
        my $row = eval { JSON::PP::decode_json($line) }
            or die "$program @what: $line";
        $row{delete $row->{name}} = $row;
    }
    close $out or die "$program @what: failed\n";

    return \%row;
}


# By name { instructions, lines, fetched }, all of one operation, and the names
# in their order.
sub counted
{
    my ($program, @what) = @_;

    my $dir = File::Temp->newdir;
    my (%row, @names);

    callgrind("$dir", $program, @what);

    for (my $i = 1; -e "$dir/out.$i"; $i++) {
        my $text = slurp("$dir/out.$i");
        my ($name, $kind, $n) = $text
            =~ /^desc: Trigger: Client Request: (.*)\|(\w+)\|(\d+)$/m or next;
        my ($events) = $text =~ /^events: (.*)$/m;
        my ($totals) = $text =~ /^totals: (.*)$/m;
        my %total;

        @total{split ' ', $events} = split ' ', $totals;
        $_ ||= 0 for @total{qw/ Ir D1mr D1mw DLmr DLmw /};

        if ($kind eq 'cold') {
            $row{$name}{lines} = sprintf('%.1f',
                ($total{DLmr} + $total{DLmw}) / $n) + 0;
            push @names, $name;
        } else {
            $row{$name}{instructions} = sprintf('%.0f', $total{Ir} / $n) + 0;
            $row{$name}{fetched} = sprintf('%.3f',
                ($total{D1mr} + $total{D1mw}) / $n) + 0;
        }
    }

    die "callgrind of $program @what: no dumps\n" if !@names;

    return (\%row, @names);
}


# Dumps into a folder.  An environment of its own: by its length the stack
# begins elsewhere, and takes a line or two more.
sub callgrind
{
    my ($dir, @command) = @_;

    my $pid = fork;

    die "fork: $!\n" if !defined $pid;

    if ($pid == 0) {
        open STDOUT, '>', "$dir/said" or die "$dir/said: $!\n";
        open STDERR, '>&', \*STDOUT or die "$dir/said: $!\n";
        %ENV = (PATH => $ENV{PATH});
        exec 'valgrind', '--tool=callgrind', @caches, '--instr-atstart=no',
            '--collect-atstart=no', '--dump-instr=no',
            '--separate-threads=no', '--compress-strings=no',
            "--callgrind-out-file=$dir/out", @command
            or die "valgrind: $!\n";
    }

    waitpid $pid, 0;
    die "callgrind of @command: " . slurp("$dir/said") if $?;

    return;
}


sub slurp
{
    my ($path) = @_;

    open my $in, '<', $path or die "$path: $!\n";
    local $/;

    return scalar <$in>;
}


1;
