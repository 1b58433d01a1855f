package UxClient;

# Copyright (C) the nginx-ux authors
#
# HTTP clients of the tests: Ux::Connection speaks HTTP/1.x over one socket
# and sends exactly the bytes it is told to, Ux::Browser adds what a browser
# adds (navigation headers, a cookie jar), Ux::Response is an answer.
#
# Written on sockets and not on HTTP::Tiny: the tests must be able to send
# doubled, malformed and half requests, and see doubled answer headers.

use strict;
use warnings;


package Ux::Response;

use JSON::PP ();


# Fields: status, reason, headers ([name, value] in order), body, head.
sub new
{
    my ($class, %self) = @_;

    return bless { %self }, $class;
}


sub status { return $_[0]{status} }
sub body   { return $_[0]{body} }
sub head   { return $_[0]{head} }


# All values of a header, in order of appearance.
sub headers
{
    my ($self, $name) = @_;

    return map { $_->[1] } grep { lc $_->[0] eq lc $name }
        @{ $self->{headers} };
}


# The first value of a header, or undef.
sub header
{
    my ($self, $name) = @_;

    return ($self->headers($name))[0];
}


# The value (without attributes) that Set-Cookie gives a cookie, or undef.
sub set_cookie
{
    my ($self, $name) = @_;

    for my $line ($self->headers('Set-Cookie')) {
        return $1 if $line =~ /^\Q$name\E=([^;]*)/;
    }

    return undef;
}


sub json
{
    my ($self) = @_;

    return JSON::PP->new->utf8->decode($self->{body});
}


package Ux::Connection;

use IO::Select;
use IO::Socket::INET;


# No list of crawlers knows it, and it is not empty.
our $BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:109.0)'
    . ' Gecko/20100101 Firefox/115.0';


# Options: host, timeout (of one read, in seconds).
sub new
{
    my ($class, $port, %option) = @_;

    return bless {
        port => $port, host => '127.0.0.1', timeout => 10, buffer => '',
        used => 0, %option
    }, $class;
}


sub open
{
    my ($self) = @_;

    return 1 if $self->{socket};

    $self->{socket} = IO::Socket::INET->new(
        PeerAddr => $self->{host}, PeerPort => $self->{port},
        Proto => 'tcp', Timeout => $self->{timeout})
        or die "cannot connect to $self->{host}:$self->{port}: $@\n";
    $self->{socket}->autoflush(1);
    $self->{buffer} = '';
    $self->{used} = 0;

    return 1;
}


sub close
{
    my ($self) = @_;

    $self->{socket}->close if $self->{socket};
    $self->{socket} = undef;
    $self->{buffer} = '';

    return;
}


# Says that no more will be sent; answers can still be read.
sub shutdown
{
    my ($self) = @_;

    $self->{socket}->shutdown(1) if $self->{socket};

    return;
}


# Sends bytes as they are.  False when the other side has gone.
sub send
{
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';

    $self->open;

    while (length $bytes) {
        my $n = syswrite $self->{socket}, $bytes;
        return 0 unless defined $n;
        substr($bytes, 0, $n) = '';
    }

    return 1;
}


# Headers are a flat list of names and values; undef leaves out a default.
sub request_text
{
    my ($class, $method, $path, $headers, $body) = @_;

    my @headers = @{ $headers || [] };
    my (%seen, $text);

    for (my $i = 0; $i < @headers; $i += 2) {
        $seen{lc $headers[$i]} = 1;
    }

    unshift @headers, 'User-Agent', $BROWSER unless $seen{'user-agent'};
    unshift @headers, 'Host', 'localhost' unless $seen{host};
    push @headers, 'Content-Length', length $body
        if defined $body && !$seen{'content-length'};

    $text = "$method $path HTTP/1.1\r\n";
    while (@headers) {
        my ($name, $value) = splice @headers, 0, 2;
        $text .= "$name: $value\r\n" if defined $value;
    }

    return $text . "\r\n" . (defined $body ? $body : '');
}


# One request on this connection, which is opened again where it was closed.
sub request
{
    my ($self, $method, $path, $headers, $body) = @_;

    return $self->exchange(
        $self->request_text($method, $path, $headers, $body), $method);
}


# Sends the text of one request, reads one answer; undef: there was none.
# An idle connection may be closed by a reloading server at any moment: a
# request on a used one that got no byte in answer is sent once more.
sub exchange
{
    my ($self, $text, $method) = @_;

    for (1, 2) {
        $self->open;
        my $used = $self->{used};
        my $sent = $self->send($text);
        my $response = $sent || !$used ? $self->read_response($method) : undef;

        if ($response) {
            $self->{used}++;
            return $response;
        }

        my $silent = $self->{buffer} eq '' && !$self->{timed_out};
        $self->close;
        return undef unless $used && $silent;
    }

    return undef;
}


# Reads one answer; undef at an end, or a timeout, before its end.
sub read_response
{
    my ($self, $method) = @_;

    my ($response, $head);

    do {
        $head = $self->_read_head;
        return undef unless defined $head;
        $response = _parse_head($head) or return $self->_bare_body;
    } while ($response->{status} == 100);

    $response->{body} = $self->_read_body($response, $method || 'GET');
    return undef unless defined $response->{body};

    my $close = lc($response->header('Connection') || '') eq 'close'
        || ($head =~ m{^HTTP/1\.0} && lc($response->header('Connection') || '')
            ne 'keep-alive');
    if ($close && $self->{buffer} eq '') {
        $self->close;
    }

    return $response;
}


# Everything until the other side closes (or the timeout).
sub read_all
{
    my ($self) = @_;

    1 while $self->_fill;

    my $all = $self->{buffer};
    $self->close;

    return $all;
}


sub _fill
{
    my ($self) = @_;

    return 0 unless $self->{socket};

    $self->{timed_out} = 0;
    if (!IO::Select->new($self->{socket})->can_read($self->{timeout})) {
        $self->{timed_out} = 1;
        return 0;
    }

    my $n = sysread $self->{socket}, $self->{buffer}, 65536,
        length $self->{buffer};

    return $n || 0;
}


sub _read_head
{
    my ($self) = @_;

    while (1) {
        return substr($self->{buffer}, 0, $+[0], '')
            if $self->{buffer} =~ /\r\n\r\n/;
        if (!$self->_fill) {
            # an HTTP/0.9 answer has no head and ends with the connection
            return $self->{buffer} ne '' && $self->{buffer} !~ m{^HTTP/}
                && !$self->{timed_out} ? '' : undef;
        }
    }
}


sub _parse_head
{
    my ($head) = @_;

    my @lines = split /\r\n/, $head;
    my $first = shift @lines;

    return undef
        unless defined $first && $first =~ m{^HTTP/1\.[01] (\d{3}) ?(.*)$};

    return Ux::Response->new(
        status => $1, reason => $2, head => $head,
        headers => [ map { [ /^([^:]*):\s*(.*?)\s*$/ ] } @lines ]);
}


sub _bare_body
{
    my ($self) = @_;

    return Ux::Response->new(status => 0, reason => '', head => '',
        headers => [], body => $self->read_all);
}


sub _read_body
{
    my ($self, $response, $method) = @_;

    return '' if $method eq 'HEAD' || $response->{status} =~ /^(?:1|204|304)/;

    return $self->_read_chunks
        if lc($response->header('Transfer-Encoding') || '') eq 'chunked';

    my $length = $response->header('Content-Length');
    return $self->_read_bytes($length) if defined $length;

    return $self->read_all;
}


sub _read_bytes
{
    my ($self, $n) = @_;

    while (length $self->{buffer} < $n) {
        return undef unless $self->_fill;
    }

    return substr $self->{buffer}, 0, $n, '';
}


sub _read_chunks
{
    my ($self) = @_;

    my $body = '';

    while (1) {
        my ($line, $digits) = $self->{buffer} =~ /^(([0-9a-fA-F]+).*?\r\n)/s;
        if (!defined $line) {
            return undef unless $self->_fill;
            next;
        }
        substr $self->{buffer}, 0, length $line, '';
        my $chunk = $self->_read_bytes(2 + hex $digits);
        return undef unless defined $chunk;
        return $body if length $chunk == 2;
        $body .= substr $chunk, 0, -2;
    }
}


package Ux::Browser;


my %DESTINATION = (
    document => [ 'navigate', 'text/html,application/xhtml+xml,*/*;q=0.8' ],
    image    => [ 'no-cors',  'image/avif,image/webp,*/*' ],
    empty    => [ 'cors',     '*/*' ],
);


# Options: those of Ux::Connection, user_agent, headers (sent always, flat).
sub new
{
    my ($class, $port, %option) = @_;

    my $user_agent = delete $option{user_agent};
    my $headers = delete $option{headers};

    return bless {
        connection => Ux::Connection->new($port, %option),
        headers => [ 'User-Agent',
            defined $user_agent ? $user_agent : $Ux::Connection::BROWSER,
            @{ $headers || [] } ],
        jar => {}
    }, $class;
}


# A navigation, an asset of a page, a script's request, a form.
sub go    { return $_[0]->_send('GET', 'document', undef, @_[1 .. $#_]) }
sub asset { return $_[0]->_send('GET', 'image', undef, @_[1 .. $#_]) }
sub fetch { return $_[0]->_send('GET', 'empty', undef, @_[1 .. $#_]) }


# Posts a form: a string, or a reference to a flat list of names and values.
sub post
{
    my ($self, $path, $form, @headers) = @_;

    return $self->_send('POST', 'document', _form($form), $path,
        'Content-Type' => 'application/x-www-form-urlencoded', @headers);
}


# The cookie's value or undef; with a value sets it, with undef removes it.
sub cookie
{
    my ($self, $name, @value) = @_;

    if (@value) {
        delete $self->{jar}{$name};
        $self->{jar}{$name} = { value => $value[0], path => '/' }
            if defined $value[0];
    }

    return $self->{jar}{$name} ? $self->{jar}{$name}{value} : undef;
}


sub forget { $_[0]{jar} = {}; return }
sub close  { $_[0]{connection}->close; return }


sub _send
{
    my ($self, $method, $destination, $body, $path, @headers) = @_;

    my ($mode, $accept) = @{ $DESTINATION{$destination} };
    my $cookies = $self->_cookies_for($path);
    my %own = @headers;
    my @sent = (@{ $self->{headers} },
        'Accept' => $accept, 'Sec-Fetch-Dest' => $destination,
        'Sec-Fetch-Mode' => $mode, 'Sec-Fetch-Site' => 'same-origin');

    push @sent, 'Cookie', $cookies if $cookies ne '' && !exists $own{Cookie};
    @sent = _without(\@sent, keys %own);

    my $response = $self->{connection}->request($method, $path,
        [ @sent, @headers ], $body);
    $self->_keep($response) if $response;

    return $response;
}


# What the caller says replaces what a browser would have said.
sub _without
{
    my ($headers, @names) = @_;

    my %drop = map { lc $_ => 1 } @names;
    my @kept;

    for (my $i = 0; $i < @$headers; $i += 2) {
        push @kept, @$headers[$i, $i + 1] unless $drop{lc $headers->[$i]};
    }

    return @kept;
}


sub _cookies_for
{
    my ($self, $path) = @_;

    return join '; ', map { "$_=$self->{jar}{$_}{value}" }
        grep { index($path, $self->{jar}{$_}{path}) == 0 }
        sort keys %{ $self->{jar} };
}


sub _keep
{
    my ($self, $response) = @_;

    for my $line ($response->headers('Set-Cookie')) {
        my ($pair, @attributes) = split /\s*;\s*/, $line;
        my ($name, $value) = $pair =~ /^([^=]*)=(.*)$/ or next;
        my %attribute = map { lc((split /=/)[0]) => (split /=/, $_, 2)[1] }
            @attributes;

        delete $self->{jar}{$name};
        next if defined $attribute{'max-age'} && $attribute{'max-age'} <= 0;
        next if defined $attribute{expires} && $attribute{expires} =~ /1970/;
        $self->{jar}{$name} = { value => $value,
            path => $attribute{path} || '/' };
    }

    return;
}


sub _form
{
    my ($form) = @_;

    return defined $form ? $form : '' unless ref $form;

    my @pairs;
    for (my $i = 0; $i < @$form; $i += 2) {
        push @pairs, join '=', map {
            my $s = $_; $s =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;
            $s
        } @$form[$i, $i + 1];
    }

    return join '&', @pairs;
}


1;
