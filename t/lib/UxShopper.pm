package UxShopper;

# Copyright (C) the nginx-ux authors
#
# Tens of thousands of visitors in seconds: many requests at once on each of a
# few connections, answers read in order.
#
#     my @told = UxShopper::visit($t->port, [ '/?v=1', '/?v=2' ]);
#
# Every one is a navigation and has to be answered 204; what comes back is each
# answer's X-Told, in the order of the paths ('': it had none).  A path may be
# a reference: the path, then headers as a flat list.  Options: clients (1),
# processes that share the paths in turn; whole, what comes back is the whole
# head of each answer.
#
# And numbers that are the same on every machine: chance('x', 7) is between 0
# and 1, as good as random, and no hash of the module's.

use strict;
use warnings;

use Digest::MD5 ();
use IO::Socket::INET;
use UxTest;

# Requests at once; no more than the sockets' buffers hold.
use constant { BATCH => 64, PATIENCE => 30 };


sub visit
{
    my ($port, $paths, %option) = @_;

    my $clients = $option{clients} || 1;

    return @{ _visit_all($port, $paths, $option{whole}) } if $clients == 1;

    my @parts;
    push @{ $parts[$_ % $clients] }, $paths->[$_] for 0 .. $#$paths;
    my @told = Ux::parallel($clients, sub {
        return _visit_all($port, $parts[$_[0]] || [], $option{whole});
    });

    return map { $told[$_ % $clients][int $_ / $clients] } 0 .. $#$paths;
}


sub chance
{
    my ($what, $n) = @_;

    return (unpack('N', Digest::MD5::md5("$what $n")) + 0.5) / 2 ** 32;
}


sub _visit_all
{
    my ($port, $paths, $whole) = @_;

    my @told;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $port, Proto => 'tcp') or die "cannot connect: $@\n";

    local $SIG{ALRM} = sub { die "no answer for @{[ PATIENCE ]} s\n" };

    for (my $i = 0; $i < @$paths; $i += BATCH) {
        my $last = $i + BATCH > @$paths ? $#$paths : $i + BATCH - 1;

        alarm PATIENCE;
        _send($socket, join '', map { _request($_) } @$paths[$i .. $last]);
        push @told, map { $whole ? $_ : /^X-Told: (.*?)\r\n/m ? $1 : '' }
            _answers($socket, $last - $i + 1);
    }

    alarm 0;
    close $socket;

    return \@told;
}


sub _request
{
    my ($path) = @_;

    my ($where, @headers) = ref $path ? @$path : $path;
    my $text = "GET $where HTTP/1.1\r\nHost: localhost\r\n"
        . "User-Agent: Mozilla/5.0 (X11; Linux) Firefox/115.0\r\n"
        . "Accept: text/html\r\n";

    while (@headers) {
        my ($name, $value) = splice @headers, 0, 2;
        $text .= "$name: $value\r\n";
    }

    return "$text\r\n";
}


sub _send
{
    my ($socket, $bytes) = @_;

    while (length $bytes) {
        my $n = syswrite $socket, $bytes;
        die "connection lost: $!\n" unless $n;
        substr $bytes, 0, $n, '';
    }

    return;
}


sub _answers
{
    my ($socket, $n) = @_;

    my ($buffer, @heads) = ('');

    while (@heads < $n) {
        sysread $socket, $buffer, 65536, length $buffer
            or die "connection closed after @{[ scalar @heads ]} answers\n";

        while ($buffer =~ s/^(.*?\r\n)\r\n//s) {
            my $head = $1;
            die "not a 204: $head\n" unless $head =~ m{^HTTP/1\.1 204 };
            push @heads, $head;
        }
    }

    return @heads;
}


1;
