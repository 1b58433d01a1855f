package UxTest;

# Copyright (C) the nginx-ux authors
#
# A real nginx for a test, in a folder of its own:
#
#     use lib 't/lib';
#     use UxTest;
#
#     my $t = Ux::nginx(workers => 2, conf => <<'CONF')->start;
#     ux_zone shop 8m;
#     server {
#         listen 127.0.0.1:%%PORT%%;
#         location / { proxy_pass http://%%APP%%; }
#         location /uxstats { ux_stats; }
#     }
#     CONF
#
#     is($t->get('/')->status, 200, 'served');
#     $t->no_alerts;
#     done_testing();
#
# Environment: TEST_NGINX_BINARY, TEST_UX_MODULE (a path; "none": stock
# nginx), TEST_UXCTL, TEST_NGINX_PRELOAD (LD_PRELOAD of nginx, for a module
# built with sanitizers), TEST_NGINX_GLOBALS, TEST_UX_LEAVE (keep folders),
# UX_DATA (folder of recorded traffic).

use strict;
use warnings;

use UxClient;
use UxNginx;
use UxUpstream;


package Ux;

use Cwd ();
use File::Basename ();
use File::Temp ();
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Time::HiRes ();


my $ROOT = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../..');


sub root    { return $ROOT }
sub data    { return ($ENV{UX_DATA} || "$ROOT/../shared/data") . "/$_[0]" }
sub nginx   { return Ux::Nginx->new(@_) }
sub browser { return Ux::Browser->new(@_) }


sub binary
{
    return $ENV{TEST_NGINX_BINARY}
        || (grep { -x } '/usr/sbin/nginx', '/usr/local/sbin/nginx')[0]
        || 'nginx';
}


# Path of the module, or undef for stock nginx.
sub module
{
    my $module = $ENV{TEST_UX_MODULE} || "$ROOT/build/ngx_http_ux_module.so";

    return undef if $module eq 'none';
    die "$module is not there: run make first\n" unless -f $module;

    return Cwd::abs_path($module);
}


my %given;
my $next_port = 40 * $$;

# A port nobody listens on.  Below the range outgoing connections are given
# their ports from: the clients of a busy test could else sit on it.  Tests
# that run beside each other begin apart: a server that is stopped for a while
# finds its port free.
sub free_port
{
    for (1 .. 1000) {
        my $port = 12000 + $next_port++ % 20000;
        next if $given{$port}++;
        return $port if IO::Socket::INET->new(LocalAddr => '127.0.0.1',
            LocalPort => $port, Listen => 1, Proto => 'tcp');
    }

    die "no free port\n";
}


# Polls until the condition is true or the time (10 s) is over.
sub wait_until
{
    my ($condition, $seconds) = @_;

    my $end = Time::HiRes::time() + ($seconds || 10);
    my $pause = 0.002;

    while (1) {
        my $value = $condition->();
        return $value if $value || Time::HiRes::time() > $end;
        Time::HiRes::sleep($pause);
        $pause *= 1.5 if $pause < 0.1;
    }
}


# Stops processes, and waits until they are: a worker that still waits for a
# connection might be the one that is woken for it.
sub halt
{
    my (@processes) = @_;

    kill 'STOP', @processes;

    return wait_until(sub {
        !grep { _read("/proc/$_/stat") !~ /^\d+ \(.*\) [TZ] /s } @processes
    });
}


# Whether a process, if it is our child a zombie, ends.
sub gone
{
    my ($pid) = @_;

    return Ux::wait_until(sub {
        !-e "/proc/$pid" || Ux::_read("/proc/$pid/stat") =~ /\) Z /
    }, 15);
}


# Runs sub (0 .. n-1) in n child processes at once; returns what they
# returned, in order.  Dies when one of them died.
sub parallel
{
    my ($n, $work) = @_;

    my (@jobs, @results, @failed);

    for my $i (0 .. $n - 1) {
        pipe my $from, my $to or die "pipe: $!";
        my $pid = fork;
        die "fork: $!" unless defined $pid;

        if ($pid == 0) {
            close $from;
            my $result = eval { [ $work->($i) ] };
            print $to JSON::PP->new->allow_nonref->latin1->encode(
                { result => $result, error => $result ? undef : "$@" });
            close $to;
            POSIX::_exit(0);
        }

        close $to;
        push @jobs, [ $pid, $from ];
    }

    for my $job (@jobs) {
        my ($pid, $from) = @$job;
        my $text = do { local $/; <$from> };
        waitpid $pid, 0;
        my $answer = eval { JSON::PP->new->latin1->decode($text) }
            || { error => "child $pid ended without a word\n" };
        push @failed, $answer->{error} if defined $answer->{error};
        push @results, $answer->{result} ? $answer->{result}[0] : undef;
    }

    die join '', @failed if @failed;

    return @results;
}


# uxctl with these arguments and standard input: (exit status, output).
sub uxctl
{
    my ($arguments, $input) = @_;

    my $program = $ENV{TEST_UXCTL} || "$ROOT/build/uxctl";
    my $dir = File::Temp::tempdir(CLEANUP => 1);

    _write("$dir/in", defined $input ? $input : '');
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    if ($pid == 0) {
        open STDIN, '<', "$dir/in" or POSIX::_exit(126);
        open STDOUT, '>', "$dir/out" or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT;
        { no warnings; exec { $program } $program, @$arguments; }
        POSIX::_exit(127);
    }
    waitpid $pid, 0;

    return ($? >> 8, _read("$dir/out"));
}


# What `uxctl assign` says of many keys: a hash of key to variant or '-'.
sub assign
{
    my ($experiment, $keys, @options) = @_;

    my ($status, $text) = uxctl([ 'assign', '--experiment', $experiment,
        @options ], join '', map { "$_\n" } @$keys);
    die "uxctl assign: exit $status: $text" if $status;

    return { map { split /\t/ } split /\n/, $text };
}


sub _read
{
    my ($path) = @_;

    open my $in, '<:raw', $path or return '';
    local $/;
    my $text = <$in>;

    return defined $text ? $text : '';
}


sub _write
{
    my ($path, $text) = @_;

    open my $out, '>:raw', $path or die "cannot write $path: $!\n";
    print $out $text;
    close $out or die "cannot write $path: $!\n";

    return;
}


1;
