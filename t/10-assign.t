#!/usr/bin/env perl

# Copyright (C) the nginx-ux authors
#
# Assignment as `uxctl assign` answers it: golden vectors, shares, who moves
# when a configuration changes, and what is said about wrong words.

use strict;
use warnings;

use Digest::MD5 qw/ md5_hex /;
use File::Temp qw/ tempdir /;
use FindBin;
use Test::More;
use Time::HiRes qw/ time /;


my $root = "$FindBin::Bin/..";
my $uxctl = $ENV{UXCTL} || "$root/build/uxctl";

die "no $uxctl: run make, or set UXCTL\n" unless -x $uxctl;

my $N = 1_000_000;
my $dir = tempdir(CLEANUP => 1);

# 99.99 % quantiles of chi-square, by degrees of freedom.
my %chi_square = (1 => 15.137, 4 => 23.513);


golden();

my $numbers = keys_file('numbers', sub { "visitor-$_[0]" });
my $ids = keys_file('ids', sub { md5_hex($_[0]) });

shares();
reweighted();
dropped();
raised();
independent();
rearranged();
layers();
speed();
words();
streams();

done_testing();


# --- golden vectors

sub golden {
    my (%rows, @order);

    open my $file, '<', "$root/t/golden/assign.tsv" or die "assign.tsv: $!";

    while (my $line = <$file>) {
        next if $line =~ /^#/;
        chomp $line;

        my ($spec, $options, $key, undef, undef, undef, $variant)
            = split /\t/, $line;

        my $call = "$spec\t$options";
        push @order, $call unless $rows{$call};
        push @{$rows{$call}}, [$key, $variant];
    }

    cmp_ok(scalar @order, '>', 15, 'golden experiments');

    for my $call (@order) {
        golden_call($call, $rows{$call});
    }
}


sub golden_call {
    my ($call, $rows) = @_;

    my ($spec, $options) = split /\t/, $call;
    my @options = $options eq '-' ? () : split / /, $options;

    # a version that is too large for a configuration, as the salt it makes
    if ($options =~ /^--salt=(\S+) --version=(\d+)$/ && $2 > 1_000_000) {
        @options = ("--salt=$1#$2");
    }

    my $input = '';
    my $want = '';

    for my $row (@$rows) {
        my ($key, $variant) = @$row;
        $key =~ s/\\x(..)/chr hex $1/eg;

        $input .= "$key\n";
        $want .= "$key\t$variant\n";
    }

    my ($got, $error, $status)
        = run($input, 'assign', '--experiment', $spec, @options);

    my $name = length $call > 60 ? substr($call, 0, 60) . '...' : $call;
    $name =~ s/\t/ /;

    ok($got eq $want && $error eq '' && $status == 0, "golden: $name")
        or diag("status $status, $error");
}


# --- shares

sub shares {
    my @sets = (
        [[control => 50], [b => 50]],
        [[control => 20], [b => 80]],
        [[control => 1], [b => 1], [c => 1]],
        [[control => 1], [b => 9], [c => 90]],
        [[control => 40], [b => 25], [c => 15], [d => 12.5], [e => 7.5]],
        [[control => 3], [off => 0], [b => 1]],
    );

    for my $set (@sets) {
        my $text = join ',', map { "$_->[0]=$_->[1]" } @$set;
        my $sum = 0;
        $sum += $_->[1] for @$set;

        for my $keys ($numbers, $ids) {
            my $count = count($keys, '--experiment', "shares:$text");

            is_share($count->{$_->[0]} // 0, $_->[1] / $sum,
                     "$_->[0] of $text") for @$set;
        }
    }

    my $count = count($ids, '--experiment', 'part:control=1,b=3',
                      '--traffic', '20%');

    is_share($count->{control}, 0.05, 'control of 1/3 at 20% traffic');
    is_share($count->{b}, 0.15, 'b of 1/3 at 20% traffic');
    is_share($count->{'-'}, 0.8, 'not enrolled at 20% traffic');
}


sub is_share {
    my ($got, $share, $name) = @_;

    my $error = sqrt($N * $share * (1 - $share));

    ok(abs($got - $N * $share) <= 4 * $error,
       sprintf('%s: %.3f%%, expected %.3f%%', $name, 100 * $got / $N,
               100 * $share));
}


# --- who moves

sub reweighted {
    for my $keys ($numbers, $ids) {
        my $moves = moves($keys, ['--experiment', 'w:control=20,b=80'],
                          ['--experiment', 'w:control=50,b=50']);
        my $moved = ($moves->{"b\tcontrol"} // 0) / $N;

        cmp_ok(abs($moved - 0.3), '<=', 0.002,
               sprintf('20/80 to 50/50 moves %.3f%%', 100 * $moved));
        is_deeply([sort keys %$moves], [sort "b\tcontrol", "b\tb",
                                        "control\tcontrol"],
                  'and only from the shrinking to the growing variant');
    }

    my $moves = moves($numbers,
                      ['--experiment', 'w:control=1,b=1,c=1'],
                      ['--experiment', 'w:control=1,b=1,c=4']);

    is_deeply([movers($moves)], ["b\tc", "control\tc"],
              'a raised weight draws from the others, who keep theirs');
}


sub dropped {
    my @before = ('--experiment', 'd:control=40,b=30,c=20,d=10');
    my $moves = moves($numbers, \@before,
                      ['--experiment', 'd:control=40,b=30,d=10']);

    is_deeply([movers($moves)], ["c\tb", "c\tcontrol", "c\td"],
              'dropping one of four moves its own visitors');
    ok(!exists $moves->{"c\tc"}, 'and all of them');

    # They spread over the others by weight.

    my $all = 0;
    $all += $moves->{$_} for movers($moves);

    my $error = sqrt($all * 0.5 * 0.5);
    cmp_ok(abs($moves->{"c\tcontrol"} - $all * 0.5), '<=', 4 * $error,
           'half of them to the variant that has half of the rest');

    my $off = moves($numbers, ['--experiment', 'd:control=40,b=30,d=10'],
                    ['--experiment', 'd:control=40,b=30,c=0,d=10']);
    is_deeply([movers($off)], [], 'weight 0 is as good as dropped');
}


sub raised {
    my @experiment = ('--experiment', 't:control=50,b=50');
    my $moves = moves($numbers, [@experiment, '--traffic', '10%'],
                      [@experiment, '--traffic', '60%']);

    is_deeply([movers($moves)], ["-\tb", "-\tcontrol"],
              'raising traffic moves nobody who is in');

    my $in = ($moves->{"b\tb"} + $moves->{"control\tcontrol"}) / $N;
    cmp_ok(abs($in - 0.1), '<=', 0.002, 'a tenth was in');

    my $more = ($moves->{"-\tb"} + $moves->{"-\tcontrol"}) / $N;
    cmp_ok(abs($more - 0.5), '<=', 0.002, 'another half came');
}


sub rearranged {
    my $moves = moves($ids,
                      ['--experiment', 'o:control=5,b=3,c=2'],
                      ['--experiment', 'o:c=2,control=5,b=3']);
    is_deeply([movers($moves)], [], 'order of lines moves nobody');

    $moves = moves($ids,
                   ['--experiment', 'o:control=5,b=3,c=2'],
                   ['--experiment', 'o:control=0.05,b=0.03,c=0.02']);
    is_deeply([movers($moves)], [], 'scaled weights move nobody');

    $moves = moves($ids,
                   ['--experiment', 'o:control=5,b=3,c=2'],
                   ['--experiment', 'other:control=5,b=3,c=2', '--salt', 'o']);
    is_deeply([movers($moves)], [], 'the salt stands for the name');

    $moves = moves($ids,
                   ['--experiment', 'o:control=1,b=1', '--version', '2'],
                   ['--experiment', 'o:control=1,b=1', '--salt', 'o#2']);
    is_deeply([movers($moves)], [], 'the version joins the salt');

    $moves = moves($ids,
                   ['--experiment', 'o:control=1,b=1'],
                   ['--experiment', 'o:control=1,b=1', '--version', '2']);
    my $moved = 0;
    $moved += $moves->{$_} for movers($moves);
    cmp_ok(abs($moved / $N - 0.5), '<=', 0.002,
           'a version assigns everybody anew');
}


# --- several experiments

sub independent {
    my @pairs = (
        ['first:control=50,b=50', 'second:control=50,b=50'],
        ['first:control=50,b=30,c=20', 'second:control=1,b=1,c=1'],
    );

    for my $pair (@pairs) {
        my $table = moves($numbers, ['--experiment', $pair->[0]],
                          ['--experiment', $pair->[1]]);
        my ($chi_square, $df) = chi_square($table);

        cmp_ok($chi_square, '<', $chi_square{$df},
               "$pair->[0] and $pair->[1] are independent");
    }

    # Enrolment tells nothing about the variant.

    my $table = moves($ids, ['--experiment', 'e:control=1,b=1'],
                      ['--experiment', 'e:control=1,b=1',
                       '--traffic', '50%']);
    my %by_enrolment;

    for my $pair (keys %$table) {
        my ($variant, $is) = split /\t/, $pair;

        $by_enrolment{"$variant\t" . ($is eq '-' ? 'out' : 'in')}
            += $table->{$pair};
    }

    my ($chi_square, $df) = chi_square(\%by_enrolment);

    cmp_ok($chi_square, '<', $chi_square{$df},
           'variant and enrolment are independent');
}


sub chi_square {
    my ($table) = @_;
    my (%row, %column, $all);

    for my $cell (keys %$table) {
        my ($r, $c) = split /\t/, $cell;

        $row{$r} += $table->{$cell};
        $column{$c} += $table->{$cell};
        $all += $table->{$cell};
    }

    my $sum = 0;

    for my $r (keys %row) {
        for my $c (keys %column) {
            my $expected = $row{$r} * $column{$c} / $all;

            $sum += (($table->{"$r\t$c"} // 0) - $expected) ** 2 / $expected;
        }
    }

    return $sum, (keys(%row) - 1) * (keys(%column) - 1);
}


sub layers {
    my $moves = moves($numbers,
                      ['--experiment', 'left:a=1,b=1',
                       '--layer', 'page:0-30%'],
                      ['--experiment', 'right:a=1,b=1',
                       '--layer', 'page:30-100%']);

    my @both = grep { !/^-\t/ && !/\t-$/ } keys %$moves;

    is_deeply(\@both, [], 'nobody is in two ranges of a layer');
    ok(!exists $moves->{"-\t-"}, 'and everybody in one of two that fill it');

    my $left = (($moves->{"a\t-"} // 0) + ($moves->{"b\t-"} // 0));
    is_share($left, 0.3, 'a range of 30%');
}


# --- the program

sub speed {
    my $start = time();

    count($numbers, '--experiment', 'fast:control=50,b=50');

    my $seconds = time() - $start;
    diag(sprintf '10^6 keys in %.2f s', $seconds);
}


sub words {
    my $good = 'a:control=1,b=1';

    my @cases = (
        [[], 'expected --experiment', 'no experiment'],
        [['--experiment', 'a'], '"a".*expected NAME:VARIANT=WEIGHT',
         'no variants'],
        [['--experiment', 'a:b=1'], '1 variant: expected 2', 'one variant'],
        [['--experiment', 'a:b=1,c'], '"c".*expected VARIANT=WEIGHT',
         'no weight'],
        [['--experiment', 'a:b=1,c=-2'], '"-2".*expected a number',
         'a negative weight'],
        [['--experiment', 'a:b=1,c=1e3'], '"1e3".*expected a number',
         'an exponent'],
        [['--experiment', 'a:b=0,c=0'], 'expected at least one above 0',
         'all weights 0'],
        [['--experiment', 'a:b=1,b=1'], '"b".*expected different names',
         'a name twice'],
        [['--experiment', 'A:b=1,c=1'], '"A".*expected a lower-case letter',
         'a bad name'],
        [['--experiment', 'a:b=1,c!=1'], '"c!".*expected a letter',
         'a bad variant'],
        [['--experiment', 'a:' . join(',', map { "v$_=1" } 1 .. 17)],
         '"v17=1".*expected at most 16', 'seventeen variants'],
        [['--experiment', $good, '--traffic', '20'], '"20".*expected',
         'traffic without its sign'],
        [['--experiment', $good, '--traffic', '101%'], '"101%".*expected',
         'too much traffic'],
        [['--experiment', $good, '--salt', ''], '"".*expected',
         'an empty salt'],
        [['--experiment', $good, '--version', '0'], '"0".*expected',
         'version 0'],
        [['--experiment', $good, '--version', '1000001'],
         '"1000001".*from 1 to 1000000', 'a version nginx.conf has not'],
        [['--experiment', $good, '--version', '4294967297'],
         '"4294967297".*expected', 'a version of 33 bits'],
        [['--experiment', $good, '--version', '18446744073709551617'],
         '"18446744073709551617".*expected', 'a version of 65 bits'],
        [['--experiment', $good, '--layer', 'page'],
         '"page".*expected NAME:FROM-TO', 'a layer without a range'],
        [['--experiment', $good, '--layer', 'page:50-50%'],
         '"page:50-50%".*expected', 'an empty range'],
        [['--experiment', $good, '--layer', 'Page:0-50%'],
         '"Page".*expected', 'a bad layer name'],
        [['--experiment'], '"--experiment".*expected', 'no value'],
        [['--experiments', $good], '"--experiments".*expected',
         'an unknown option'],
        [['--experiment', $good, 'key', '-x'], '"-x".*expected',
         'an unknown letter, behind a key'],
    );

    for my $case (@cases) {
        my ($words, $error, $name) = @$case;
        my ($out, $err, $status) = run("k\n", 'assign', @$words);

        ok($status == 2 && $out eq '' && $err =~ /^uxctl: .*$error.*\n\z/,
           "refused: $name")
            or diag("status $status, output \"$out\", error \"$err\"");
    }

    is_deeply([run('', 'assign', '--experiment', $good, '--version', '1000000',
                   'k')],
              [run('', 'assign', '--experiment', $good, '--salt', 'a#1000000',
                   'k')], 'the largest version');

    my ($out, $err, $status) = run('', 'frobnicate');
    ok($status == 2 && $err =~ /"frobnicate".*expected/, 'unknown command');

    ($out, $err, $status) = run('');
    ok($status == 2 && $err =~ /no command: expected/, 'no command');

    for my $help (['--help'], ['assign', '--help']) {
        ($out, $err, $status) = run('', @$help);
        ok($status == 0 && $err eq '' && $out =~ /^usage: uxctl.*assign/s,
           "uxctl @$help");
    }

    is_deeply([run('', '--version')], ["uxctl 0.1.0\n", '', 0], '--version');
}


sub streams {
    my @assign = ('assign', '--experiment', 'a:control=1,b=1');

    my ($all) = run("k1\nk2\n-k3\nk4", @assign);
    my @variants = map { (split /\t/)[1] } split /\n/, $all;

    is(scalar @variants, 4, 'a last line without its newline is a key');
    is((run('', @assign, 'k1', 'k2'))[0],
       "k1\t$variants[0]\nk2\t$variants[1]\n", 'keys as words');
    is((run("k9\n", @assign, '--', '-k3', 'k4'))[0],
       "-k3\t$variants[2]\nk4\t$variants[3]\n", 'keys behind --');
    is((run('', 'assign', 'k1', '--experiment=a:control=1,b=1'))[0],
       "k1\t$variants[0]\n", 'options behind keys');
    is_deeply([run('', @assign)], ['', '', 0], 'no keys at all');

    my $long = 'x' x 100_000;
    like((run("$long\n", @assign))[0], qr/^$long\t(control|b)\n\z/,
         'a long key');

    SKIP: {
        skip 'no /dev/full', 1 unless -e '/dev/full';

        system("'$uxctl' assign --experiment a:b=1,c=1 k >/dev/full 2>&1");
        is($? >> 8, 1, 'a full disk is not success');
    }
}


# --- running it

# The whole input at once; output, errors, exit status.
sub run {
    my ($input, @words) = @_;

    open my $in, '>', "$dir/in" or die "$dir/in: $!";
    print $in $input;
    close $in or die "$dir/in: $!";

    my $out = start("$dir/in", @words);
    local $/;
    my $got = <$out> // '';
    close $out;
    my $status = $? >> 8;

    open my $err, '<', "$dir/err" or die "$dir/err: $!";
    my $error = <$err> // '';

    return $got, $error, $status;
}


# A pipe to read from, standard input from a file.
sub start {
    my ($in, @words) = @_;

    my $pid = open(my $out, '-|') // die "fork: $!";

    if ($pid == 0) {
        open STDIN, '<', $in or die "$in: $!";
        open STDERR, '>', "$dir/err" or die "$dir/err: $!";
        exec { $uxctl } $uxctl, @words;
        die "$uxctl: $!";
    }

    return $out;
}


sub keys_file {
    my ($name, $key) = @_;

    open my $file, '>', "$dir/$name" or die "$dir/$name: $!";
    print $file $key->($_), "\n" for 1 .. $N;
    close $file or die "$dir/$name: $!";

    return "$dir/$name";
}


# How many visitors each variant has.
sub count {
    my ($keys, @options) = @_;
    my (%count, %result);

    my $out = start($keys, 'assign', @options);

    while (my $line = <$out>) {
        $count{substr $line, index($line, "\t") + 1}++;
    }

    close $out or die "uxctl failed: $?";

    for my $variant (keys %count) {
        $result{$variant =~ s/\n//r} = $count{$variant};
    }

    return \%result;
}


# How many visitors have each pair "before TAB after" of variants.
sub moves {
    my ($keys, $before, $after) = @_;
    my (%count, %result);

    my $old = start($keys, 'assign', @$before);
    my $new = start($keys, 'assign', @$after);

    while (my $was = <$old>) {
        my $is = <$new>;

        $count{substr $was, index($was, "\t") + 1}
              {substr $is, index($is, "\t") + 1}++;
    }

    close $old or die "uxctl failed: $?";
    close $new or die "uxctl failed: $?";

    for my $was (keys %count) {
        for my $is (keys %{$count{$was}}) {
            $result{join "\t", map { s/\n//r } $was, $is}
                = $count{$was}{$is};
        }
    }

    return \%result;
}


# The pairs of those that changed.
sub movers {
    my ($moves) = @_;

    return sort grep { my ($was, $is) = split /\t/; $was ne $is }
                keys %$moves;
}
