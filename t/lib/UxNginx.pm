package UxNginx;

# Copyright (C) the nginx-ux authors
#
# One nginx of a test: its folder, configuration, processes and error log.
# Made by Ux::nginx(); UxTest.pm says how it is used.
#
# nginx runs in the foreground as our child, so that its pid is known from
# the first moment and nothing can outlive the test.

use strict;
use warnings;

use UxClient;
use UxUpstream;


package Ux::Nginx;

use File::Temp ();
use IO::Socket::INET;
use POSIX ();
use Scalar::Util ();
use Time::HiRes ();
use Test::More ();


# What may never be in an error log; sanitizers write there, too.
my $ALERT = qr/\[(?:alert|emerg|crit)\]|segfault|AddressSanitizer
    |runtime\ error:|exited\ with\ code\ [1-9]/x;

my %alive;


# Options:
#   conf      the http block's contents; %%PORT%% is the port of get(),
#             %%PORT_x%% further free ones, %%DIR%% the folder
#   full      true: conf is the whole file
#   workers   worker_processes (1)
#   globals   lines of the main context
#   vars      { NAME => text of %%NAME%% }
#   backends  { NAME => answer } or { NAME => [kind => answer] }: upstream
#             servers (see UxUpstream; kind grpc as well), %%NAME%% is
#             the address; answer may be undef: the request as JSON
#   files     { path below %%DIR%%/html => contents }
#   module    a path, or 'none'
#   patience  seconds that a start may take (20)
# Starts the upstreams, not nginx.
sub new
{
    my ($class, %option) = @_;

    my $dir = File::Temp->newdir('uxtest-XXXXXX', TMPDIR => 1,
        CLEANUP => !$ENV{TEST_UX_LEAVE});
    my $self = bless { workers => 1, globals => '', files => {},
        backends => {}, %option, dir => $dir, owner => $$, checked => 0 },
        $class;

    $self->{vars} = { PORT => Ux::free_port(), DIR => "$dir",
        %{ $option{vars} || {} } };
    mkdir "$dir/html";
    $self->file($_, $self->{files}{$_}) for keys %{ $self->{files} };
    $self->_add_backend($_, $self->{backends}{$_})
        for sort keys %{ $self->{backends} };

    return $self;
}


sub dir  { return "$_[0]{dir}" }
sub pid  { return $_[0]{pid} }
sub port { return $_[0]{vars}{defined $_[1] ? $_[1] : 'PORT'} }


# The upstream of that name: ->requests, ->last_request, ->clear.
sub backend { return $_[0]{upstreams}{$_[1]} }


# Writes a file below html.
sub file
{
    my ($self, $path, $text) = @_;

    my $folder = $self->dir . '/html';
    my @steps = split m{/}, $path;
    pop @steps;
    mkdir $folder .= "/$_" for @steps;
    Ux::_write($self->dir . "/html/$path", $text);

    return;
}


# Starts and waits until the port answers.  Dies with the error log if not.
sub start
{
    my ($self) = @_;

    my $path = $self->dir . '/nginx.conf';
    Ux::_write($path, $self->_configuration($self->{conf}));

    $self->{pid} = $self->_spawn($self->dir . '/stderr.log', '-c', $path);
    $alive{Scalar::Util::refaddr($self)} = $self;
    Scalar::Util::weaken($alive{Scalar::Util::refaddr($self)});

    my $up = Ux::wait_until(sub {
        return -1 if waitpid($self->{pid}, POSIX::WNOHANG()) != 0;
        return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $self->port, Proto => 'tcp') ? 1 : 0;
    }, $self->{patience} || 20);
    if ($up == 1) {
        $self->_await_workers;
        return $self;
    }

    my $log = Ux::_read($self->dir . '/stderr.log') . $self->error_log;
    $self->{pid} = 0 if $up == -1;
    $self->{checked} = 1;
    $self->stop;
    die "nginx did not start:\n$log";
}


# The port answers from the moment the master listens.
sub _await_workers
{
    my ($self) = @_;

    return if $self->{full} || $self->{globals} =~ /master_process\s+off/;

    Ux::wait_until(sub { $self->workers >= $self->{workers} });

    return;
}


# HUP, with another conf or number of workers if given; true once only new
# workers serve, false when nginx refused (see error_log).
sub reload
{
    my ($self, %option) = @_;

    my %old = map { $_ => 1 } $self->workers;
    my $seen = length $self->error_log;

    $self->{$_} = $option{$_} for keys %option;
    Ux::_write($self->dir . '/nginx.conf',
        $self->_configuration($self->{conf}));
    kill 'HUP', $self->{pid};

    my $done = Ux::wait_until(sub {
        return -1 if substr($self->error_log, $seen) =~ /\[emerg\]/;
        my @now = $self->workers;
        return @now >= $self->{workers} && !grep { $old{$_} } @now;
    }, 30);

    return $done && $done != -1;
}


# Pids of the workers that take new connections.
sub workers
{
    my ($self) = @_;

    return grep { Ux::_read("/proc/$_/cmdline") =~ /worker process(?! is)/ }
        $self->_children;
}


# Pids of workers that only finish what they have.
sub leaving
{
    my ($self) = @_;

    return grep { Ux::_read("/proc/$_/cmdline") =~ /shutting down/ }
        $self->_children;
}


# Until no worker has anything left to do: the client may have an answer before
# all of it is counted.
sub rest
{
    my ($self) = @_;

    return Ux::wait_until(sub {
        !grep { Ux::_read("/proc/$_/stat") =~ /^\d+ \(.*\) [^STZ] /s }
            $self->workers, $self->leaving });
}


sub signal { return kill $_[1], $_[0]{pid} }


# QUIT; TERM where that takes more than 5 s, KILL after another 5.
sub stop
{
    my ($self) = @_;

    return if !$self->{pid} || $self->{owner} != $$;

    my @children = $self->_children;
    for my $signal ('QUIT', 'TERM', 'KILL') {
        kill $signal, $self->{pid};
        last if Ux::wait_until(
            sub { waitpid($self->{pid}, POSIX::WNOHANG()) != 0 }, 5);
    }
    for my $child (@children) {
        kill 'KILL', $child
            if Ux::_read("/proc/$child/cmdline") =~ /^nginx:/;
    }
    $self->{pid} = 0;

    return;
}


# Kills all of it at once, and waits until it is gone with its locks: until
# then whoever starts does not take over what it saved.  When that was.
sub kill_tree
{
    my ($self) = @_;

    my @all = ($self->{pid}, $self->_children);

    kill 'KILL', @all;
    my $now = Time::HiRes::time();
    waitpid $self->{pid}, 0;
    Ux::gone($_) for @all;
    $self->{pid} = 0;

    return $now;
}


# Stops, and fails on any line of the error log that says of a fault of the
# server.  `allow`: a pattern of lines that the test provoked.
sub no_alerts
{
    my ($self, $name, $allow) = @_;

    $self->stop;
    $self->{checked} = 1;
    my @lines = $self->_alerts($allow);
    Test::More::ok(!@lines, $name || 'no alerts in the error log')
        or Test::More::diag(join "\n", @lines[0 .. ($#lines < 20
            ? $#lines : 20)]);

    return !@lines;
}


sub error_log { return Ux::_read($_[0]->dir . '/error.log') }


# `nginx -t` of another conf (same rules): (true if it passed, its output).
sub test_config
{
    my ($self, $conf, %option) = @_;

    my $path = $self->dir . '/test.conf';
    my $out = $self->dir . '/test.log';

    Ux::_write($path, $self->_configuration($conf, %option,
        error_log => 'stderr'));
    Ux::_write($out, '');
    $self->{tested} = Ux::_read($path);
    my $pid = $self->_spawn($out, '-t', '-c', $path);
    waitpid $pid, 0;
    my $status = $?;

    return ($status == 0, Ux::_read($out));
}


# Number of the first line that matches in the conf tested last.
sub line_of
{
    my ($self, $pattern) = @_;

    my $n = 0;

    for my $line (split /\n/, $self->{tested}) {
        $n++;
        return $n if $line =~ $pattern;
    }

    return undef;
}


# One request on a connection of its own; headers as a flat list.
sub get  { return $_[0]->request('GET', @_[1 .. $#_]) }
sub head { return $_[0]->request('HEAD', @_[1 .. $#_]) }


sub post
{
    my ($self, $path, $body, @headers) = @_;

    return $self->connection->request('POST', $path, \@headers, $body);
}


sub request
{
    my ($self, $method, $path, @headers) = @_;

    return $self->connection->request($method, $path, \@headers);
}


# Sends these very bytes; the first answer, or undef if there was none.
sub http
{
    my ($self, $bytes, $method) = @_;

    my $connection = $self->connection;
    $connection->send($bytes);

    return $connection->read_response($method);
}


sub connection
{
    my ($self, %option) = @_;

    return Ux::Connection->new($self->port, %option);
}


sub browser
{
    my ($self, %option) = @_;

    return Ux::Browser->new($self->port, %option);
}


# Part of /uxstats as Perl data; undef and a diagnosis if it is no JSON.
sub stats
{
    my ($self, $path) = @_;

    my $response = $self->get('/uxstats/api/1' . ($path || '/'));
    my $stats = $response && $response->status == 200
        ? eval { $response->json } : undef;

    Test::More::diag('stats: ' . ($response ? $response->status . ' '
        . substr $response->body, 0, 400 : 'no answer')) unless $stats;

    return $stats;
}


sub _add_backend
{
    my ($self, $name, $spec) = @_;

    my ($kind, $answer) = ref $spec eq 'ARRAY' ? @$spec : ('http', $spec);
    my $upstream = UxUpstream->new(answer => $answer,
        kind => $kind eq 'grpc' ? 'http' : $kind,
        file => $self->dir . "/requests.$name");

    $self->{upstreams}{$name} = $upstream;
    $self->{vars}{$name} = $upstream->address;
    $self->_add_grpc($name) if $kind eq 'grpc';

    return;
}


# Speaks HTTP/2 to nginx and HTTP/1.1 to the recording upstream behind it.
sub _add_grpc
{
    my ($self, $name) = @_;

    my $front = Ux::Nginx->new(module => 'none', conf => <<"CONF");
underscores_in_headers on;
ignore_invalid_headers off;
server {
    listen 127.0.0.1:%%PORT%% http2;
    location / {
        proxy_pass http://$self->{vars}{$name};
        proxy_http_version 1.1;
    }
}
CONF
    $self->{fronts}{$name} = $front->start;
    $front->{checked} = 1;
    $self->{vars}{$name} = '127.0.0.1:' . $front->port;

    return;
}


sub _configuration
{
    my ($self, $conf, %option) = @_;

    my $text = $self->{full} || $option{full} ? $conf
        : $self->_frame($conf, $option{error_log} || 'error.log');

    $text =~ s/%%(PORT_\w+)%%/$self->{vars}{$1} ||= Ux::free_port()/ge;
    $text =~ s/%%(\w+)%%/exists $self->{vars}{$1} ? $self->{vars}{$1}
        : die "no value for %%$1%%\n"/ge;

    return $text;
}


sub _frame
{
    my ($self, $conf, $error_log) = @_;

    my $module = ($self->{module} || '') eq 'none' ? undef
        : $self->{module} || Ux::module();
    my $globals = ($ENV{TEST_NGINX_GLOBALS} || '') . $self->{globals};
    my $temp = join '', map { "    ${_}_temp_path %%DIR%%/$_;\n" }
        qw(client_body proxy fastcgi uwsgi scgi);

    $globals = "user root;\n$globals"
        if $> == 0 && $globals !~ /^\s*user\s/m;
    $error_log = "%%DIR%%/$error_log" if $error_log ne 'stderr';

    return ($module ? "load_module $module;\n" : '')
        . "pid %%DIR%%/nginx.pid;\nerror_log $error_log info;\n"
        . "worker_processes $self->{workers};\n$globals\n"
        . "events { worker_connections 1024; }\n"
        . "http {\n${temp}    access_log %%DIR%%/access.log;\n"
        . "    root %%DIR%%/html;\n\n$conf\n}\n";
}


# Runs nginx in a child with its output in a file; returns the pid.
sub _spawn
{
    my ($self, $output, @arguments) = @_;

    my $binary = Ux::binary();
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    return $pid if $pid;

    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', $output or POSIX::_exit(126);
    open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
    if ($ENV{TEST_NGINX_PRELOAD}) {
        $ENV{LD_PRELOAD} = $ENV{TEST_NGINX_PRELOAD};
        $ENV{ASAN_OPTIONS} = join ':', 'detect_leaks=0',
            grep { defined } $ENV{ASAN_OPTIONS};
    }
    { no warnings; exec { $binary } $binary, '-p', $self->dir, '-e', 'stderr',
        '-g', $self->{daemon} ? 'daemon on;' : 'daemon off;', @arguments; }
    POSIX::_exit(127);
}


# Pids whose parent is our master.
sub _children
{
    my ($self) = @_;

    return () unless $self->{pid};

    my @pids;
    for my $path (glob '/proc/[0-9]*/stat') {
        my ($pid, $parent) = Ux::_read($path) =~ /^(\d+) \(.*\) \S (\d+)/s;
        push @pids, $pid if $parent && $parent == $self->{pid};
    }

    return @pids;
}


sub _alerts
{
    my ($self, $allow) = @_;

    return grep { $_ =~ $ALERT && !($allow && $_ =~ $allow) }
        split /\n/, Ux::_read($self->dir . '/stderr.log') . $self->error_log;
}


# Stops, and makes the test fail for alerts nobody asked about.
sub _finish
{
    my ($self) = @_;

    return if $self->{owner} != $$;

    $self->stop;
    if (!$self->{checked}) {
        $self->{checked} = 1;
        my @lines = $self->_alerts;
        print STDERR map { "# unasked: $_\n" } @lines;
        return 1 if @lines;
    }

    return;
}


sub DESTROY
{
    my ($self) = @_;

    local ($?, $@, $!);
    delete $alive{Scalar::Util::refaddr($self)};
    $self->_finish and $Ux::Nginx::late_failure = 1;

    return;
}


END {
    my $status = $?;

    for my $nginx (grep { defined } values %alive) {
        $status = 1 if $nginx->_finish && !$status;
    }
    $status = 1 if $Ux::Nginx::late_failure && !$status;
    $? = $status;
}


1;
