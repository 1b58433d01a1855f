#!/usr/bin/env perl

# Copyright (C) the nginx-ux authors
#
# The statistics engine on made-up visitors: no more false winners than it
# says, however often somebody looks; winners where there are some; and that
# an engine which is wrong would be seen.  "make simulate" takes more runs and
# all scenarios.

use strict;
use warnings;

use File::Temp qw/ tempdir /;
use FindBin;
use JSON::PP;
use Test::More;


my $root = "$FindBin::Bin/..";
my $uxctl = $ENV{UXCTL} || "$root/build/uxctl";

die "no $uxctl: run make, or set UXCTL\n" unless -x $uxctl;

my $dir = tempdir(CLEANUP => 1);

my $alpha = 0.05;

# The sanitizers make it ten times as slow: then it only has to run.
my $slow = defined $ENV{TEST_NGINX_PRELOAD};
my $runs = $slow ? 5 : 500;

# Every rate and every split of the grid, but not all of their pairs.
my @scenarios = (
    'aa-0.002-90/10', 'aa-0.01-50/50', 'aa-0.03-34/33/33', 'aa-0.1-90/10',
    'aa-0.3-50/50', 'aa-0.6-34/33/33',
    qw/ revenue purchases drift arms discoveries power ratio coverage
        tables /,
);


words();
listed();
streams();
judged();
wrong_engines() unless $slow;

done_testing();


sub words {
    my @cases = (
        [['--runs', '0'], 'runs "0".*from 1 to 100000', 'no runs'],
        [['--runs', '1e3'], 'runs "1e3".*expected', 'no whole number'],
        [['--runs', '100001'], 'runs "100001".*expected', 'too many runs'],
        [['--threads', '-1'], 'threads "-1".*expected', 'threads'],
        [['--threads', '257'], 'threads "257".*from 1 to 256',
         'too many threads'],
        [['--seed', 'x'], 'seed "x".*expected', 'a seed'],
        [['--scenario', 'aaa'], 'unknown scenario "aaa".*--list',
         'a scenario'],
        [['--engine', 'own'], 'unknown engine "own"', 'an engine'],
        [['aa'], '"aa" is one word too many', 'a word'],
        [['--speed'], 'unknown option "--speed"', 'an option'],
        [['--runs'], 'option "--runs" has no value', 'no value'],
    );

    for my $case (@cases) {
        my ($words, $sentence, $name) = @$case;
        my ($got, $error, $status) = run(@$words);

        is($status, 2, "$name: status");
        is($got, '', "$name: nothing printed");
        like($error, qr/^uxctl: $sentence/, "$name: sentence");
    }

    my ($got, $error, $status) = run('--help');

    is($status, 0, 'help');
    like($got, qr/^usage: uxctl simulate .*--scenario NAME/s, 'is printed');
}


sub listed {
    my ($got, $error, $status) = run('--list');
    my %families;

    is($status, 0, 'list');
    push @{$families{(split)[0]}}, (split)[1] for split /\n/, $got;

    is(scalar @{$families{aa}}, 18, 'six rates by three splits');
    is_deeply([sort keys %families],
        [qw/ aa arms coverage discoveries drift power purchases ratio revenue
             tables /], 'families');
}


# The same numbers whoever plays the runs, others for another seed.
sub streams {
    my @words = qw/ --runs 7 --scenario drift --scenario revenue-1
                    --scenario coverage-0.03-0.036 --scenario tables /;

    my ($one) = run(@words, '--threads', 1);
    my ($three) = run(@words, '--threads', 3);
    my ($many) = run(@words, '--threads', 40);
    my ($other) = run(@words, '--seed', 5);
    my ($alone) = run(qw/ --runs 7 --scenario tables /);

    cmp_ok(scalar(split /\n/, $one), '>', 10, 'a table');
    is($three, $one, 'three threads: the same');
    is($many, $one, 'more threads than runs: the same');
    isnt($other, $one, 'another seed: others');

    my ($line) = $alone =~ /^(tables .* significant .*)$/m;
    like($one, qr/^\Q$line\E$/m, 'a scenario is the same by itself');
}


sub judged {
    my ($report, $status) = report('--runs', $runs,
        map { ('--scenario', $_) } @scenarios);

    my $figures = $report->{figures};
    my %families;

    is($report->{runs}, $runs, 'as many runs as asked for');
    cmp_ok(scalar @$figures, '>', 60, 'figures');

    for my $row (@$figures) {
        my ($family) = $row->{scenario} =~ /^([a-z]+)/;
        $families{$family}++;

        judged_row($row);
    }

    is(scalar keys %families, 10, 'of all families');

    return if $slow;

    ok($report->{ok}, 'the engine is as right as it says');
    is($status, 0, 'and so is the status');
}


# The limits again, as they are written down.
sub judged_row {
    my ($row) = @_;

    my $name = "$row->{scenario}: $row->{figure}";
    my $value = $row->{value};
    my $limit = $alpha + 3 * sqrt($alpha * (1 - $alpha) / $runs);

    if ($row->{scenario} =~ /\(all\)/) {
        my $least = $row->{runs} < 2000 ? undef : 0.001;
        is($row->{at_least}, $least, "$name: limit");

    } elsif ($row->{figure} =~ /^(?:false|exact|.*missed)/) {
        cmp_ok(abs($row->{at_most} - $limit), '<', 1e-9, "$name: limit");

        my $error = sqrt($value * (1 - $value) / $runs);
        cmp_ok($row->{error}, '<=', $error + 1e-9, "$name: error");

    } elsif ($row->{figure} eq 'winners') {
        is($row->{at_least}, 0.85, "$name: limit");
    }

    my $ok = (!defined $row->{at_most} || $value <= $row->{at_most})
             && (!defined $row->{at_least} || $value >= $row->{at_least});

    is(!!$row->{ok}, !!$ok, "$name: verdict");

    ok($ok, "$name: $value") unless $slow;
}


sub wrong_engines {
    my @cases = (
        ['fixed', 'aa-0.3-50/50', 'false winners', 0.3,
         'an ordinary p at every look'],
        ['fixed', 'revenue-1', 'false winners', 0.3, 'and of revenue'],
        ['fixed', 'arms', 'false winners', 0.3, 'Holm does not save it'],
        ['fixed', 'discoveries', 'false discoveries', 0.15,
         'nor does e-BH'],
        ['fixed', 'ratio-fair', 'alarms', 0.01,
         'chi-square of the sample ratio at every look'],
        ['fixed', 'coverage-0.03-0.036', 'lift missed', 0.2,
         'ordinary intervals'],
        ['fixed', 'tables', 'disagreements', 1, 'intervals that are not of p'],
        ['ungated', 'aa-0.002-90/10', 'false winners', 0.15,
         'looks below the gate, recorded'],
        ['pooled', 'drift', 'false winners', 0.9, 'epochs thrown together'],
        ['pooled', 'drift', 'exact test\'s', 0.9, 'in the exact test'],
        ['events', 'purchases-conversion', 'false winners', 0.3,
         'purchases for converters'],
    );

    for my $case (@cases) {
        my ($engine, $scenario, $figure, $least, $name) = @$case;

        my ($report, $status) = report('--runs', 100, '--engine', $engine,
                                       '--scenario', $scenario);

        my ($row) = grep { $_->{figure} eq $figure
                           && $_->{scenario} eq $scenario }
                    @{$report->{figures}};

        ok(!$row->{ok}, "$name: seen");
        cmp_ok($row->{value}, '>', $least, "$name: $row->{value}");
        is($status, 1, "$name: status");
    }

    my ($got) = run(qw/ --runs 50 --engine pooled --scenario drift /);

    like($got, qr/^drift .* false winners .* <= 0\.1425 +FAILED$/m,
        'said in the table');
}


sub report {
    my ($got, $error, $status) = run('--json', @_);

    is($error, '', "no complaint: @_[0 .. 3]");

    return decode_json($got), $status;
}


sub run {
    my (@words) = @_;

    my $pid = open(my $out, '-|') // die "fork: $!";

    if ($pid == 0) {
        open STDERR, '>', "$dir/err" or die "$dir/err: $!";
        exec { $uxctl } $uxctl, 'simulate', @words;
        die "$uxctl: $!";
    }

    local $/;
    my $got = <$out> // '';
    close $out;
    my $status = $? >> 8;

    open my $err, '<', "$dir/err" or die "$dir/err: $!";
    my $error = <$err> // '';

    return $got, $error, $status;
}
