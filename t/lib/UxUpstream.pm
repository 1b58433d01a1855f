package UxUpstream;

# Copyright (C) the nginx-ux authors
#
# Small upstream servers, so that a test sees what an application gets:
# HTTP, FastCGI, SCGI and uwsgi, each in a child process that serves one
# request a connection, one after the other.  A child ends with its parent,
# and after LIFETIME seconds in any case.
#
# Every request is written down as a line of JSON before it is answered, so a
# test that has its answer can read what the upstream got.  The answer is the
# callback's, or by default the request itself as JSON.

use strict;
use warnings;

use Carp ();
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();

use constant { LIFETIME => 900, PATIENCE => 10 };


my %READER = (
    http    => \&_read_http,
    fastcgi => \&_read_fastcgi,
    scgi    => \&_read_scgi,
    uwsgi   => \&_read_uwsgi,
);


# kind: one of the above; file: where requests are written down; answer:
# sub (Ux::Request) -> (status, [flat headers], body), run in the child.
sub new
{
    my ($class, %self) = @_;

    my $read = $READER{$self{kind}} or Carp::croak("no kind $self{kind}");
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $self{port} || 0, Listen => 256, ReuseAddr => 1,
        Proto => 'tcp') or Carp::croak("upstream cannot listen: $@");
    my $self = bless { %self, port => $listen->sockport, owner => $$ },
        $class;

    my $parent = $$;
    $self->{pid} = fork;
    Carp::croak("cannot fork: $!") unless defined $self->{pid};

    if ($self->{pid} == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        $SIG{PIPE} = 'IGNORE';
        eval { $self->_serve($listen, $read, $parent); 1 }
            or print STDERR "# upstream: $@";
        POSIX::_exit(0);
    }

    return $self;
}


sub port    { return $_[0]{port} }
sub address { return "127.0.0.1:$_[0]{port}" }


# What has arrived so far, as Ux::Request objects.
sub requests
{
    my ($self) = @_;

    my @requests;

    if (CORE::open my $in, '<', $self->{file}) {
        @requests = map { bless JSON::PP->new->latin1->decode($_),
            'Ux::Request' } <$in>;
        CORE::close $in;
    }

    return @requests;
}


sub last_request { return ($_[0]->requests)[-1] }


# Forgets the requests that have arrived.
sub clear
{
    my ($self) = @_;

    truncate $self->{file}, 0;

    return;
}


sub stop
{
    my ($self) = @_;

    return unless $self->{pid} && $self->{owner} == $$;

    kill 'TERM', $self->{pid};
    waitpid $self->{pid}, 0;
    $self->{pid} = 0;

    return;
}


sub DESTROY
{
    my ($self) = @_;

    local ($?, $@, $!);
    $self->stop;

    return;
}


sub _serve
{
    my ($self, $listen, $read, $parent) = @_;

    my $end = time + LIFETIME;
    my $select = IO::Select->new($listen);

    while (time < $end && getppid == $parent) {
        next unless $select->can_read(1);
        my $client = $listen->accept or next;
        my $request = eval { $read->(Ux::Wire->new($client)) };
        next unless $request;

        bless $request, 'Ux::Request';
        $request->{kind} = $self->{kind};
        $self->_write_down($request);
        my @answer = $self->{answer} ? $self->{answer}->($request) : ();
        @answer = _echo($request) unless @answer;
        _send_answer($client, $self->{kind}, @answer);
        CORE::close $client;
    }

    return;
}


sub _write_down
{
    my ($self, $request) = @_;

    CORE::open my $out, '>>', $self->{file}
        or die "cannot write $self->{file}: $!\n";
    print $out JSON::PP->new->latin1->canonical->encode({ %$request }), "\n";
    CORE::close $out;

    return;
}


sub _echo
{
    my ($request) = @_;

    return (200, [ 'Content-Type' => 'application/json' ],
        JSON::PP->new->latin1->canonical->encode({ %$request }));
}


sub _send_answer
{
    my ($client, $kind, $status, $headers, $body) = @_;

    my @headers = @{ $headers || [] };
    my $text = '';

    $body = '' unless defined $body;
    while (@headers) {
        $text .= shift(@headers) . ': ' . shift(@headers) . "\r\n";
    }

    if ($kind eq 'http' || $kind eq 'uwsgi') {
        $text = "HTTP/1.1 $status Answer\r\nConnection: close\r\n"
            . ($text =~ /^Content-Length:/mi || $status =~ /^1|204|304/ ? ''
                : 'Content-Length: ' . length($body) . "\r\n")
            . "$text\r\n$body";

    } else {
        $text = "Status: $status Answer\r\n$text\r\n$body";
    }

    $text = _fastcgi_records($text) if $kind eq 'fastcgi';

    while (length $text) {
        my $n = syswrite $client, $text;
        last unless defined $n;
        substr($text, 0, $n) = '';
    }

    return;
}


sub _read_http
{
    my ($wire) = @_;

    my $head = $wire->until("\r\n\r\n");
    my ($first, @lines) = split /\r\n/, $head;
    my ($method, $uri) = split / /, $first;
    my @pairs = map { [ /^([^:]*):\s*(.*?)\s*$/ ] } @lines;
    my ($length) = map { $_->[1] } grep { lc $_->[0] eq 'content-length' }
        @pairs;

    return { method => $method, uri => $uri, pairs => \@pairs,
        body => $wire->bytes($length || 0) };
}


# FastCGI 1.0: records of version, type, id, length, padding.
sub _read_fastcgi
{
    my ($wire) = @_;

    my ($params, $body) = ('', '');

    while (1) {
        my (undef, $type, undef, $length, $padding)
            = unpack 'CCnnCx', $wire->bytes(8);
        my $content = $wire->bytes($length);
        $wire->bytes($padding);
        $params .= $content if $type == 4;
        $body .= $content if $type == 5;
        last if $type == 5 && $length == 0;
    }

    my @pairs;
    while (length $params) {
        my @sizes = map { _fastcgi_length(\$params) } 1, 2;
        push @pairs, [ map { substr $params, 0, $_, '' } @sizes ];
    }

    return _from_cgi(\@pairs, $body);
}


sub _fastcgi_length
{
    my ($bytes) = @_;

    return unpack 'C', substr $$bytes, 0, 1, ''
        unless ord($$bytes) & 0x80;

    return 0x7fffffff & unpack 'N', substr $$bytes, 0, 4, '';
}


sub _fastcgi_records
{
    my ($text) = @_;

    my $records = '';

    while (length $text) {
        my $part = substr $text, 0, 32768, '';
        $records .= pack('CCnnCx', 1, 6, 1, length $part, 0) . $part;
    }

    return $records . pack('CCnnCx', 1, 6, 1, 0, 0)
        . pack('CCnnCxNCx3', 1, 3, 1, 8, 0, 0, 0);
}


# SCGI: a netstring of NUL-terminated names and values.
sub _read_scgi
{
    my ($wire) = @_;

    my $length = $wire->until(':');
    chop $length;
    my @words = split /\0/, $wire->bytes($length), -1;
    pop @words;
    $wire->bytes(1);

    my @pairs;
    push @pairs, [ splice @words, 0, 2 ] while @words;
    my %param = map { @$_ } @pairs;

    return _from_cgi(\@pairs, $wire->bytes($param{CONTENT_LENGTH} || 0));
}


# uwsgi: modifier, 16-bit size, modifier, then sized names and values.
sub _read_uwsgi
{
    my ($wire) = @_;

    my (undef, $size) = unpack 'CvC', $wire->bytes(4);
    my $vars = $wire->bytes($size);
    my @pairs;

    while (length $vars) {
        my @pair;
        for (1, 2) {
            my $n = unpack 'v', substr $vars, 0, 2, '';
            push @pair, substr $vars, 0, $n, '';
        }
        push @pairs, \@pair;
    }

    my %param = map { @$_ } @pairs;

    return _from_cgi(\@pairs, $wire->bytes($param{CONTENT_LENGTH} || 0));
}


sub _from_cgi
{
    my ($pairs, $body) = @_;

    my %param = map { @$_ } @$pairs;

    return { method => $param{REQUEST_METHOD}, uri => $param{REQUEST_URI},
        pairs => $pairs, body => $body };
}


package Ux::Request;


# All values under which an application may see a request header, whatever
# the protocol: CGI-like ones show X-UX-Variant and X_UX_Variant alike as
# HTTP_X_UX_VARIANT.
sub values
{
    my ($self, $name) = @_;

    my $wanted = _folded($name);

    if ($self->{kind} ne 'http') {
        $wanted = "HTTP_$wanted";
    }

    return map { $_->[1] } grep { _folded($_->[0]) eq $wanted }
        @{ $self->{pairs} };
}


# The only value of a header; undef when there is none or more than one.
sub value
{
    my ($self, $name) = @_;

    my @values = $self->values($name);

    return @values == 1 ? $values[0] : undef;
}


sub _folded
{
    my ($name) = @_;

    $name = uc $name;
    $name =~ s/[^A-Z0-9]/_/g;

    return $name;
}


package Ux::Wire;


# A socket read in exact pieces; dies at an end or after PATIENCE seconds.
sub new { return bless { socket => $_[1], buffer => '' }, $_[0] }


sub bytes
{
    my ($self, $n) = @_;

    $self->_fill while length $self->{buffer} < $n;

    return substr $self->{buffer}, 0, $n, '';
}


sub until
{
    my ($self, $mark) = @_;

    my $at;

    $self->_fill while ($at = index $self->{buffer}, $mark) < 0;

    return substr $self->{buffer}, 0, $at + length $mark, '';
}


sub _fill
{
    my ($self) = @_;

    IO::Select->new($self->{socket})->can_read(UxUpstream::PATIENCE)
        or die "no bytes\n";
    sysread $self->{socket}, $self->{buffer}, 65536, length $self->{buffer}
        or die "closed\n";

    return;
}


1;
