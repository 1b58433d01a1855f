package UxHttp2;

# Copyright (C) the nginx-ux authors
#
# As much of an HTTP/2 client as shows that streams are kept apart: sends many
# requests at once over one connection, without TLS, and gives the bodies.
# Headers are sent as plain literals (RFC 7541, 6.2.2), those of answers are
# not looked at, but for the status.

use strict;
use warnings;


package Ux::Http2;

use IO::Select;
use IO::Socket::INET;

use constant { DATA => 0, HEADERS => 1, SETTINGS => 4, GOAWAY => 7,
    END_STREAM => 1, END_HEADERS => 4 };


# Answers of GET requests for these paths, in order; undef for what has not
# come to its end.  Headers are a flat list, names in lower case; a path may be
# an array, of the path and headers of its own.
sub get_all
{
    my ($class, $port, $paths, @headers) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $port, Proto => 'tcp') or die "cannot connect: $@\n";
    my $bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . _frame(SETTINGS, 0, 0);
    my $stream = 1;

    for my $asked (@$paths) {
        my ($path, @all) = (ref $asked ? @$asked : $asked, @headers);
        # the static table's :method GET, :scheme http, :authority and :path
        my $block = "\x82\x86\x01" . _string('localhost') . "\x04"
            . _string($path);
        for (my $i = 0; $i < @all; $i += 2) {
            $block .= "\0" . _string($all[$i]) . _string($all[$i + 1]);
        }
        $bytes .= _frame(HEADERS, END_STREAM | END_HEADERS, $stream, $block);
        $stream += 2;
    }

    $socket->autoflush(1);
    print $socket $bytes;

    my $answers = _read_answers($socket, scalar @$paths);

    return map { $answers->{2 * $_ + 1} } 0 .. $#$paths;
}


# One POST, its body in as many DATA frames as there are parts: (status, body),
# status undef if the answer did not come to its end.
sub post
{
    my ($class, $port, $path, $parts, @headers) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $port, Proto => 'tcp') or die "cannot connect: $@\n";
    my $block = "\x83\x86\x01" . _string('localhost') . "\x04"
        . _string($path);
    my $last = $#$parts;

    while (@headers) {
        my ($name, $value) = splice @headers, 0, 2;
        $block .= "\0" . _string($name) . _string($value);
    }

    $socket->autoflush(1);
    print $socket "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        . _frame(SETTINGS, 0, 0) . _frame(HEADERS, END_HEADERS, 1, $block);
    print $socket _frame(DATA, $_ == $last ? END_STREAM : 0, 1, $parts->[$_])
        for 0 .. $last;

    my $answers = _read_answers($socket, 1, \my %status);

    return (exists $answers->{1} ? $status{1} : undef, $answers->{1});
}


# Bodies by stream; into %$status, if given, what nginx says in the first
# field of a header block: an index of the static table, or three digits.
sub _read_answers
{
    my ($socket, $n, $status) = @_;

    my %indexed = (8 => 200, 9 => 204, 10 => 206, 11 => 304, 12 => 400,
        13 => 404, 14 => 500);
    my ($buffer, %body, %answer) = ('');

    while (keys %answer < $n) {
        while (length $buffer < 9
            || length $buffer < 9 + (unpack 'N', "\0" . $buffer))
        {
            IO::Select->new($socket)->can_read(10) or return \%answer;
            sysread $socket, $buffer, 65536, length $buffer
                or return \%answer;
        }

        my ($high, $low, $type, $flags, $stream) = unpack 'CnCCN', $buffer;
        my $text = substr $buffer, 9, $high * 65536 + $low;
        substr $buffer, 0, 9 + length $text, '';

        last if $type == GOAWAY;
        next if $type != DATA && $type != HEADERS;
        if ($type == HEADERS && $status) {
            # behind updates of the table's size
            $text =~ s/^[\x20-\x3f]+//;
            $status->{$stream} = $text =~ /^[\x08\x48]\x03(\d{3})/ ? $1
                : $indexed{ord($text) & 127};
        }
        $body{$stream} .= $type == DATA ? $text : '';
        $answer{$stream} = $body{$stream} if $flags & END_STREAM;
    }

    return \%answer;
}


sub _frame
{
    my ($type, $flags, $stream, $text) = @_;

    $text = '' unless defined $text;

    return substr(pack('N', length $text), 1) . pack('CCN', $type, $flags,
        $stream) . $text;
}


# Not Huffman-coded; shorter than 127 bytes.
sub _string { return chr(length $_[0]) . $_[0] }


1;
