#!/usr/bin/env perl

# Copyright (C) the nginx-ux authors
#
# `uxctl plan`: published sizes, the sequential size against its equation, a
# baseline from a report by file, pipe and HTTP, and wrong words.

use strict;
use warnings;

use File::Temp qw/ tempdir /;
use FindBin;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Test::More;

use lib "$FindBin::Bin/lib";

use UxTest;


my $json = JSON::PP->new->allow_nonref;
my $dir = tempdir(CLEANUP => 1);

# Normal quantiles.
my %z = (0.8 => 0.8416212335729143, 0.975 => 1.959963984540054);

sizes();
effects();
tables();
report();
http();
words();

done_testing();


# --- sizes

sub sizes {
    my $plan = planned('--baseline', '3%', '--effect', '10%',
        '--traffic', 5000);

    # power.prop.test(p1 = .03, p2 = .033, power = .8) of R: 53210.3
    is($plan->{fixed_horizon}{visitors_per_variant}, 53211,
       'as R has it, rounded up');
    is($plan->{fixed_horizon}{visitors}, 2 * 53211, 'visitors of both');
    is($plan->{fixed_horizon}{days}, 22, 'whole days');
    looked($plan, 0.03, 0.033, 10000);

    is_deeply(planned('--baseline=.03', '--effect=0.1', '--traffic=5e3',
                   '--alpha=5%', '--power=.8', '--variants=2',
                   '--planned=10000'),
              $plan, 'shares as plain numbers, and what the defaults are');

    # Of a mean 2 (z + z)^2 variance / delta^2: 19951.99 at 85 %.
    my $mean = planned('--mean', 3, '--variance', 100, '--effect', '10%',
                    '--power', '85%');
    is($mean->{fixed_horizon}{visitors_per_variant}, 19952, 'of a mean');
    is($mean->{fixed_horizon}{days}, undef, 'no days without traffic');
    is("$mean->{type} $mean->{target}", 'mean 3.3', 'what it is of');

    my $drop = planned('--baseline', '3.3%', '--effect',
                    sprintf('%.17g', .03 / .033 - 1));
    is($drop->{fixed_horizon}{visitors_per_variant}, 53211, 'a fall');

    my $four = planned('--baseline', '3%', '--effect', '10%', '--variants', 4);
    my $third = planned('--baseline', '3%', '--effect', '10%',
                     '--alpha', .05 / 3);
    is($four->{fixed_horizon}{visitors},
       4 * $third->{fixed_horizon}{visitors_per_variant},
       'alpha is shared out over the comparisons');
    is($four->{sequential}{visitors},
       4 * $third->{sequential}{visitors_per_variant},
       'of the sequential size too');

    looked(planned('--baseline', '3%', '--effect', '10%', '--planned', 200000),
           0.03, 0.033, 200000);
}


# n = (z_seq(2 n) s_0 + z s_1)^2 / d^2, rounded up.
sub looked {
    my ($plan, $p1, $p2, $planned) = @_;

    my $n = $plan->{sequential}{visitors_per_variant};
    my $needs = sub {
        my $rho2 = (-2 * log(.05) + log(1 - 2 * log .05)) / $planned;
        my $q = 2 * $_[0] * $rho2;
        my $z = sqrt(2 * ($q + 1) / $q * log(sqrt($q + 1) / .05));
        my $p = ($p1 + $p2) / 2;
        my $s1 = sqrt($p1 * (1 - $p1) + $p2 * (1 - $p2));
        return (($z * sqrt(2 * $p * (1 - $p)) + $z{0.8} * $s1)
                / ($p2 - $p1)) ** 2;
    };

    ok($needs->($n) <= $n + 0.5 && $needs->($n - 1) > $n - 1.5,
       "the sequential size, planned $planned")
        or diag("$n: needs " . $needs->($n));
}


# --- the smallest effect

sub effects {
    for my $of (['--baseline', '3%'], ['--mean', 2.5, '--variance', 150]) {
        my @words = (@$of, '--traffic', 5000, '--days', 20,
                     '--variants', 3);
        my $found = planned(@words);

        for my $kind ('fixed_horizon', 'sequential') {
            my $back = planned(@words, '--effect',
                            sprintf '%.17g', $found->{$kind}{minimum_effect});
            my $n = $back->{$kind}{visitors_per_variant};

            # The core's smallest rate does not pool.
            my $slack = $of->[0] eq '--baseline'
                        && $kind eq 'fixed_horizon' ? 30 : 1;
            ok(abs($n - 100000 / 3) <= $slack + 1,
               "$of->[0], $kind: the effect found takes the visitors given")
                or diag($n);
        }

        is($found->{fixed_horizon}{visitors}, undef, 'no size asked for');
    }

    my $none = planned('--baseline', '60%', '--traffic', 10, '--days', 1);
    is($none->{sequential}{minimum_effect}, undef, 'no effect is found');
}


# --- for people

sub tables {
    my ($status, $text) = Ux::uxctl(['plan', '--baseline', '3%', '--effect',
                                     '10%', '--traffic', 5000, '--days', 7,
                                     '--variants', 3]);

    is($status, 0, 'a table');
    like($text, qr/^baseline +3%$/m, 'the baseline');
    like($text, qr/^effect +\+10%, to 3\.3%$/m, 'the effect');
    like($text, qr/^alpha +0\.05, 0\.025 for each of 2 comparisons$/m,
         'alpha of each comparison');
    like($text, qr/visitors +per variant +days$/m, 'its head');
    like($text, qr/^fixed horizon +\d{3},\d{3} +\d\d,\d{3} +\d+$/m,
         'the fixed horizon');
    like($text, qr/^sequential +\d{3},\d{3} +\d{3},\d{3} +\d+$/m,
         'the sequential one');
    like($text, qr/in 7 days\nfixed horizon +\+[\d.]+%, to [\d.]+%\n/,
         'the smallest effects');
    ok(!grep({ length > 79 } split /\n/, $text), 'within 79 columns');
}


# --- from a report

sub example {
    my $control = {
        control => JSON::PP::true, visitors => 600, metrics => {
            purchase => { type => 'conversion', rate => 0.03 },
            revenue => { type => 'mean', mean => 3, variance => 100 },
            none => { type => 'conversion', rate => 0 },
        } };
    my $one = { control => JSON::PP::false, visitors => 400,
                metrics => { purchase => { rate => 0.9 } } };
    my $gone = { %$one, removed => JSON::PP::true, visitors => 0 };

    return { version => 1, zones => { shop => { experiments => {
        layout => {
            runtime_seconds => 43200, alpha => 0.01,
            planned_visitors => 20000, goal => ['purchase', 'revenue'],
            variants => { one => $one, control => $control, two => $one,
                          gone => $gone } },
        empty => { variants => {}, goal => undef },
    } } } };
}


sub report {
    my $file = "$dir/report.json";
    my @words = ('--experiment', 'layout', '--effect', '10%');

    spew($file, $json->encode(example()));

    my $want = planned('--baseline', '3%', '--effect', '10%', '--variants', 3,
                    '--alpha', 0.01, '--planned', 20000, '--traffic', 2800);
    $want->{metric} = 'purchase';

    is_deeply(planned('--from', $file, @words), $want, 'from a file');
    is_deeply(plan_of($json->encode(example()), '--from', '-', @words), $want,
              'from standard input');

    my $revenue = planned('--from', $file, @words, '--metric', 'revenue',
                       '--zone', 'shop', '--alpha', '5%', '--variants', 2,
                       '--power', '85%', '--traffic', 100);
    is($revenue->{fixed_horizon}{visitors_per_variant}, 19952, 'of a mean');
    is($revenue->{traffic_per_day}, 100, 'what is given comes first');

    for my $case (
        [['--from', "$dir/none", @words], 1, qr/none/],
        [['--from', $dir, @words], 1, qr/could not read/],
        [['--from', $file, '--experiment', 'x', '--effect', '1%'], 2,
         qr/experiment "x".*expected/],
        [['--from', $file, '--experiment', 'empty', '--effect', '1%'], 2,
         qr/no goal: expected/],
        [['--from', $file, @words, '--metric', 'x'], 2,
         qr/metric "x".*expected/],
        [['--from', $file, @words, '--metric', 'none'], 2,
         qr/no baseline yet: expected/],
        [['--from', $file, @words, '--zone', 'x'], 2,
         qr/zone "x".*expected/],
        [['--from', $0, @words], 2, qr/no report: expected/],
        [['--from', 'ftp://x/', @words], 2, qr/"ftp:.*expected/],
    ) {
        wrong(@$case);
    }

    my $two = example();
    $two->{zones}{other} = {};
    spew($file, $json->encode($two));
    wrong(['--from', $file, @words], 2, qr/expected --zone/);
    is_deeply(planned('--from', $file, @words, '--zone', 'shop'), $want,
              'one zone of two');
}


# --- over HTTP

sub http {
    my $body = $json->encode(example());
    my @words = ('--experiment', 'layout', '--effect', '10%');
    my $head = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n";

    my ($got, $request) = served("$head$body", '/uxstats?x', @words, '--json');
    is($json->decode($got)->{metric}, 'purchase', 'over HTTP');
    like($request, qr{^GET /uxstats\?x HTTP/1\.0\r\n}, 'the path as given');
    like($request, qr{^Accept: application/json\r$}m, 'JSON is wanted');
    like($request, qr{^Host: 127\.0\.0\.1:\d+\r$}m, 'the host');

    ($got) = served("$head$body", '', @words, '--json');
    is($json->decode($got)->{metric}, 'purchase', 'no path at all');

    ($got) = served("HTTP/1.1 404 Not Found\r\n\r\n{}", '/x', @words);
    like($got, qr/answered "HTTP\/1\.1 404 Not Found": expected 200/,
        "not found");

    ($got) = served('hello', '/x', @words);
    like($got, qr/did not answer in HTTP/, 'no HTTP');

    ($got) = served('', '/x', @words);
    like($got, qr/did not answer in HTTP/, 'nothing at all');

    ($got) = served($head . substr($body, 0, 200), '/x', @words);
    like($got, qr/no report: expected/, 'half a report');

    my $port = Ux::free_port();
    wrong(['--from', "http://127.0.0.1:$port/", @words], 1,
          qr/could not read .*refused/);
    wrong(['--from', 'http://', @words], 2, qr/expected http:/);
    wrong(['--from', "http://127.0.0.1:$port/a b", @words], 2,
          qr/expected http:/);
}


# One answer to one request: what uxctl said, and the request.
sub served {
    my ($answer, $path, @words) = @_;

    my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or die "listen: $!";
    my $from = 'http://127.0.0.1:' . $server->sockport . $path;
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        my $client = $server->accept or POSIX::_exit(1);
        my $request = '';

        while ($request !~ /\r\n\r\n/) {
            sysread($client, $request, 4096, length $request) or last;
        }

        spew("$dir/request", $request);
        print $client $answer;
        close $client;
        POSIX::_exit(0);
    }

    my (undef, $text) = Ux::uxctl(['plan', '--from', $from, @words]);
    waitpid $pid, 0;

    open my $in, '<', "$dir/request" or die "request: $!";
    local $/;

    return $text, scalar <$in>;
}


# --- words

sub words {
    my @good = ('--baseline', '3%', '--effect', '10%');

    for my $case (
        [[], qr/expected one of --baseline, --mean and --from/],
        [['--baseline', '3%'], qr/no effect: expected/],
        [['--baseline', '3%', '--mean', 1, '--effect', '1%'],
         qr/expected one of/],
        [['--mean', 1, '--effect', '1%'], qr/no variance: expected/],
        [['--baseline', '3%', '--variance', 1, '--effect', '1%'],
         qr/no mean: expected/],
        [['--baseline', '3%', '--days', 5], qr/no traffic: expected/],
        [['--from', '-', '--effect', '1%'], qr/no experiment: expected/],
        [[@good, '--zone', 'x'], qr/expected --from/],
        [[@good, 'x'], qr/"x".*expected/],
        [[@good, '--frob'], qr/"--frob": expected/],
        [[@good, '--power'], qr/"--power" has no value: expected/],
        (map { [['--baseline', $_, '--effect', '10%'],
                qr/baseline "\Q$_\E" .*expected/] }
         '0', '100%', '-3%', '3%%', '', '%', '0x1', 'nan', 'inf', ' 3%',
         '1e999', '3 %', '1-1'),
        (map { [['--baseline', '50%', '--effect', $_],
                qr/effect "\Q$_\E.*expected/] }
         '0', '100%', '-100%', '300%', 'x'),
        (map { [[@good, '--variants', $_], qr/variants "$_" .*expected/] }
         1, 17, 2.5, 'x'),
        (map { [[@good, '--alpha', $_], qr/alpha "$_" .*expected/] }
         0, 1, -1, 'x'),
        (map { [[@good, '--power', $_], qr/power "$_" .*expected/] }
         0, '100%', 'x'),
        (map { [[@good, '--traffic', $_], qr/traffic "$_" .*expected/] }
         0, -5, 'x'),
        (map { [[@good, '--planned', $_], qr/planned "$_" .*expected/] }
         0, 'x'),
    ) {
        wrong($case->[0], 2, $case->[1]);
    }

    my ($status, $text) = Ux::uxctl(['plan', '--help']);
    ok($status == 0 && $text =~ /^usage: uxctl plan/, '--help');
    ok(!grep({ length > 79 } split /\n/, $text), 'within 79 columns');
}


sub wrong {
    my ($words, $expected, $error) = @_;

    my ($status, $text) = Ux::uxctl(['plan', @$words], '');

    ok($status == $expected && $text =~ /^uxctl: .*$error/,
       "refused: @$words")
        or diag("$status: $text");
}


# --- running it

sub planned {
    return plan_of('', @_);
}


sub plan_of {
    my ($input, @words) = @_;

    my ($status, $text) = Ux::uxctl(['plan', @words, '--json'], $input);

    return eval { $json->decode($text) } || { text => $text };
}


sub spew {
    open my $out, '>', $_[0] or die "$_[0]: $!\n";
    print $out $_[1];
    close $out or die "$_[0]: $!\n";
}
