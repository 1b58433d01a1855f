package UxCost;

# Copyright (C) the nginx-ux authors
#
# Instructions that nginx spends on a request, by callgrind:
#
#     my $t = Ux::cost(conf => ..., files => ...)->start;
#     print $t->instructions($bytes_of_a_request);
#     $t->end;
#
# One process (master_process off).  SIGUSR1 makes nginx reopen its logs, and
# callgrind dumps and clears its counts whenever that function is entered: so
# one process measures any number of requests, one after the other.  Of two
# rows of requests, a short and a long one, the difference holds nothing of
# the connection and the signal; timers are left out.  It repeats to some ten
# instructions, whatever else the machine does; the least of some rows is it.

use strict;
use warnings;

use UxTest;


package Ux;


# Is there a callgrind?
sub has_callgrind
{
    return scalar grep { -x "$_/valgrind" } split /:/, $ENV{PATH};
}


sub cost { return Ux::Cost->new(@_) }


package Ux::Cost;

use IO::Socket::INET;
use Time::HiRes ();


# Rows: requests of the short and the long one, and how often each.
my ($SHORT, $LONG, $ROWS) = (30, 130, 3);

# What a call for memory, or to give it back, is said to take: about the mean.
my $HEAP = 200;


# Options of Ux::nginx().
sub new
{
    my ($class, %option) = @_;

    my $nginx = Ux::nginx(%option, workers => 1, patience => 180,
        globals => "master_process off;\n" . ($option{globals} || ''));

    return bless { nginx => $nginx, dumps => 0, requests => 0 }, $class;
}


sub nginx { return $_[0]{nginx} }


sub start
{
    my ($self) = @_;

    my $dir = $self->{nginx}->dir;
    my $real = Ux::binary();

    Ux::_write("$dir/nginx.callgrind", join ' ', "#!/bin/sh\nexec valgrind",
        '--tool=callgrind', "--callgrind-out-file=$dir/cost",
        "--log-file=$dir/valgrind.log", '--dump-before=ngx_reopen_files',
        '--compress-strings=no',
        $real, "\"\$@\"\n");
    chmod 0755, "$dir/nginx.callgrind";

    local $ENV{TEST_NGINX_BINARY} = "$dir/nginx.callgrind";
    $self->{nginx}->start;
    $self->{socket} = $self->connect;

    return $self;
}


# A connection that is kept.
sub connect
{
    my ($self) = @_;

    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', Proto => 'tcp',
        PeerPort => $self->{nginx}->port, Timeout => 180)
        || die "no connection: $!\n";
}


# Sends a request, bytes or a sub that makes them of its number, n times.
sub send
{
    my ($self, $request, $n) = @_;

    my $socket = $self->{socket};

    for (1 .. $n || 1) {
        my $bytes = ref $request ? $request->($self->{requests}) : $request;
        $self->{requests}++;
        $self->{answer} = exchange($socket, $bytes);
    }

    return $self->{answer};
}


# Instructions a request.  warm: requests before; short, long: in a row.
sub instructions
{
    my ($self, $request, %option) = @_;

    my ($short, $long) = ($option{short} || $SHORT, $option{long} || $LONG);
    my (@short, @long);

    $self->send($request, $option{warm} || 20);
    $self->_spent;

    for (1 .. $ROWS) {
        $self->send($request, $short);
        push @short, $self->_spent;
        $self->send($request, $long);
        push @long, $self->_spent;
    }


    return sprintf '%.0f', (_least(@long) - _least(@short))
        / ($long - $short);
}


# Where the last row went: a file for callgrind_annotate.
sub profile { return $_[0]{profile} }


# nginx has nothing to say any more; callgrind would take its time.
sub end
{
    my ($self) = @_;

    close $self->{socket};
    $self->{nginx}->signal('KILL');
    $self->{nginx}->stop;

    return;
}


# One request and its answer, which has a length or no body.
sub exchange
{
    my ($socket, $bytes) = @_;

    my ($answer, $length) = ('');

    syswrite($socket, $bytes) == length $bytes or die "write: $!\n";

    while (!defined $length || length $answer < $length) {
        sysread $socket, $answer, 65536, length $answer
            or die "connection closed after: $answer\n";
        next if defined $length || $answer !~ /\r\n\r\n/g;
        $length = pos $answer;
        $length += $1 if $answer =~ /^Content-Length: (\d+)\r$/mi;
    }

    return $answer;
}


# What was executed since the last call.
sub _spent
{
    my ($self) = @_;

    my $dir = $self->{nginx}->dir;
    my $next = $self->{dumps} + 1;

    # a signal just before epoll_wait() waits for the next event

    for (1 .. 40) {
        $self->{nginx}->signal('USR1');
        last if $self->_dumped("$dir/cost.$next");
    }

    my ($spent, $text) = (0);

    while (($text = Ux::_read("$dir/cost.$next")) ne '') {
        $self->{dumps} = $next++;
        $text =~ /^totals: (\d+)/m or die "no totals in $dir/cost\n";
        $self->{profile} = "$dir/cost.$self->{dumps}" if $1 > $spent;
        $spent += $1 - _timers($text) - _heap($text);
    }
    die "callgrind wrote nothing\n" . Ux::_read("$dir/valgrind.log")
        if !$spent;

    return $spent;
}


# What went into timers, ours and nginx's, and into the texts of the time that
# nginx makes once a second: they are of the clock, not of requests, of which a
# slow machine does few in a second.  And what the signals take, of which there
# may be one more.
sub _timers
{
    my ($text) = @_;

    my $spent = 0;

    $spent += $1 while $text
        =~ /^cfn=ngx_(?:event_expire_timers|time_update|reopen_files
            |log_error_core)\ncalls=.*\n\S+\ (\d+)$/mgx;

    return $spent;
}


# What malloc() and its like took more than $HEAP a call, or less.  They look
# for room in what is free, which hangs on all that was there before: one
# nginx takes 200 more of them for each request than the next.
sub _heap
{
    my ($text) = @_;

    my $spent = 0;

    # posix_memalign() calls malloc(), too

    $spent += $2 - $HEAP * $1 while $text =~ /^cfn=(?:malloc|calloc|realloc
        |free)\ncalls=(\d+)\ .*\n\S+\ (\d+)$/mgx;

    return $spent;
}


# Waits for the dump; false once nginx sleeps and there is none.  Asking twice
# for what is only late would part one row in two.
sub _dumped
{
    my ($self, $path) = @_;

    my $asleep = 0;

    return Ux::wait_until(sub {
        return 1 if Ux::_read($path) =~ /^totals: /m;
        $asleep = Ux::_read('/proc/' . $self->{nginx}->pid . '/stat')
            =~ /\) S / ? $asleep + 1 : 0;
        return $asleep > 12 ? -1 : 0;
    }, 120) == 1;
}


sub _least { return (sort { $a <=> $b } @_)[0] }


1;
