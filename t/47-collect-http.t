#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# How beacons travel: methods, types, lengths, bodies in pieces, in files and
# over HTTP/2, clients that leave, other sites; and what a refused one costs.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxCount;
use UxHttp2;
use UxTest;


my $LIMIT = 16384;

my $t = Ux::nginx(conf => <<'CONF')->start;
ux_zone shop 8m;

ux_experiment layout { variant control 1; variant b 1; goal purchase; }

limit_req_zone $binary_remote_addr zone=beacons:1m rate=1r/m;
client_max_body_size 20m;
ux_expose layout;

server {
    listen 127.0.0.1:%%PORT%%;

    location / { return 200 page; }

    location = /beacon { ux_collect; }

    location = /small {
        client_body_buffer_size 16;
        ux_collect;
    }

    location = /in_file {
        client_body_buffer_size 16;
        client_body_in_file_only on;
        ux_collect;
    }

    location = /slow {
        client_body_timeout 1s;
        ux_collect;
    }

    location = /short {
        client_max_body_size 100;
        ux_collect;
    }

    # a mirror reads the body first, here into a file
    location = /mirrored {
        mirror /mirror;
        client_body_buffer_size 16;
        client_body_in_file_only clean;
        ux_collect;
    }

    location = /mirrored_memory {
        mirror /mirror;
        client_body_buffer_size 1k;
        ux_collect;
    }

    location = /mirror { internal; return 204; }

    # a subrequest is nobody's beacon
    location = /inner_mirror {
        mirror /beacon;
        return 204;
    }

    location = /inner {
        mirror /beacon;
        try_files /page.html =404;
    }

    location = /limited {
        limit_req zone=beacons;
        ux_collect;
    }

    location = /denied { deny all; ux_collect; }

    location = /open {
        ux_collect origin=https://shop.example,http://a.example:8080
            origin=https://B.example:443;
    }

    location /uxstats { ux_stats; }
}

server {
    listen 127.0.0.1:%%PORT_H2%% http2;

    location = /beacon { ux_collect; }

    location = /small {
        client_body_buffer_size 16;
        ux_collect;
    }
}
CONF

my $browser = $t->browser;

$browser->go('/');
$browser->go('/');

my @cookie = (Cookie => 'ux=' . $browser->cookie('ux'));
my @json = ('Content-Type' => 'application/json');
my $event = '{"event":"view_item"}';
my $counted = 'events.view_item 1';

methods();
types();
encodings();
lengths();
chunks();
pieces();
continued();
no_file();
from_a_file();
http2();
slow_and_short();
clients_leave();
other_sites();
allowed_sites();
preflights();
limits_in_front();

$t->no_alerts;

done_testing();


# What the work changes, and the status it comes back with.
sub counts
{
    my ($name, $status, $expected, $work) = @_;

    my $response;

    is($t->changes(sub { $response = $work->() }), $expected,
        "$name: what is counted");
    is($response ? $response->status : 'none', $status, "$name: answered");

    return $response;
}


sub post
{
    my ($path, $body, @headers) = @_;

    my %header = (@cookie, @json, @headers);

    return $t->post($path, $body, %header);
}


# One line of text that says what is wrong.
sub says
{
    my ($response, $pattern, $name) = @_;

    like($response->body, $pattern, "$name: says why");
    is($response->body =~ tr/\n//, 1, "$name: in one line");
    like($response->header('Content-Type'), qr{^text/plain}, "$name: text");
    is($response->header('Cache-Control'), 'no-store', "$name: not stored");

    return;
}


# An event padded to so many bytes.
sub padded
{
    my ($length) = @_;

    my $body = '{"event":"view_item","x":""}';
    substr $body, -2, 0, 'y' x ($length - length $body);

    return $body;
}


sub methods
{
    for my $method (qw(GET PUT DELETE PATCH OPTIONS PROPFIND)) {
        my $response = counts($method, 405, '', sub {
            $t->connection->request($method, '/beacon', [ @cookie, @json ],
                $method eq 'GET' ? undef : $event);
        });
        is($response->header('Allow'), 'POST', "$method: Allow");
        says($response, qr/POST/, $method);
    }

    my $response = counts('HEAD', 405, '', sub { $t->head('/beacon') });
    is($response->header('Allow'), 'POST', 'HEAD: Allow');

    $response = $t->get('/open');
    is($response->header('Allow'), 'POST, OPTIONS',
        'origin= given: Allow has OPTIONS');

    return;
}


sub types
{
    for my $type ('application/json', 'APPLICATION/JSON',
        'application/json; charset=utf-8', 'text/plain',
        'text/plain;charset=UTF-8', "text/plain ; a=b")
    {
        counts($type, 204, $counted, sub {
            post('/beacon', $event, 'Content-Type' => $type);
        });
    }

    for my $type ('application/x-www-form-urlencoded', 'multipart/form-data',
        'text/html', 'application/jsonp', 'application', '', ';',
        'text/plainx', 'application/json, text/plain', undef)
    {
        my $name = defined $type ? "type \"$type\"" : 'no type';
        my $response = counts($name, 415, '', sub {
            $t->post('/beacon', $event, @cookie, 'Content-Type' => $type);
        });
        says($response, qr/application\/json or text\/plain/, $name);
    }

    return;
}


sub encodings
{
    counts('identity', 204, $counted, sub {
        post('/beacon', $event, 'Content-Encoding' => 'Identity');
    });

    for my $encoding ('gzip', 'deflate', 'br', 'identity, gzip', '') {
        my $response = counts("encoding \"$encoding\"", 415, '', sub {
            post('/beacon', "\x1f\x8b$event",
                'Content-Encoding' => $encoding);
        });
        says($response, qr/Content-Encoding/, "encoding \"$encoding\"");
    }

    return;
}


sub lengths
{
    for my $path ('/beacon', '/small') {
        counts("$path: no byte", 400, 'discarded.bad_event 1',
            sub { post($path, '') });
        counts("$path: one byte", 400, 'discarded.bad_event 1',
            sub { post($path, '{') });
        counts("$path: $_ bytes", 204, $counted,
            sub { post($path, padded($_)) })
            for 100, 1000, 8192, $LIMIT - 1, $LIMIT;

        my $response = counts("$path: one byte too many", 413, '',
            sub { post($path, padded($LIMIT + 1)) });
        says($response, qr/16384/, "$path: one byte too many");
    }

    counts('no length at all', 400, 'discarded.bad_event 1', sub {
        $t->connection->request('POST', '/beacon', [ @cookie, @json ]);
    });

    # of 10 MB not one byte is sent before the answer comes
    my $response = counts('10 MB', 413, '', sub {
        $t->http(Ux::Connection->request_text('POST', '/beacon',
            [ @cookie, @json, 'Content-Length' => 10485760 ]));
    });
    is($response->header('Connection'), 'close', '10 MB: not waited for');

    counts('beyond client_max_body_size', 413, '',
        sub { post('/short', padded(101)) });
    counts('within it', 204, $counted, sub { post('/short', padded(100)) });
    counts('longer than it says', 400, 'discarded.bad_event 1', sub {
        $t->http(Ux::Connection->request_text('POST', '/beacon',
            [ @cookie, @json, 'Content-Length' => length($event) - 1 ],
            $event));
    });

    return;
}


# The bytes of a request with a body in chunks.
sub chunked
{
    my ($path, @chunks) = @_;

    return Ux::Connection->request_text('POST', $path,
        [ @cookie, @json, 'Transfer-Encoding' => 'chunked' ])
        . join '', map { sprintf "%x\r\n%s\r\n", length, $_ } @chunks;
}


sub chunks
{
    for my $path ('/beacon', '/small') {
        counts("$path: a chunk", 204, $counted,
            sub { $t->http(chunked($path, $event, '')) });
        counts("$path: chunks of a byte", 204, $counted,
            sub { $t->http(chunked($path, split(//, $event), '')) });
        counts("$path: chunks up to the limit", 204, $counted, sub {
            $t->http(chunked($path, unpack('(a1000)*', padded($LIMIT)), ''));
        });
        my $response = counts("$path: one byte too many in chunks", 413, '',
            sub { $t->http(chunked($path, unpack('(a1000)*',
                padded($LIMIT + 1)))) });
        is($response->header('Connection'), 'close',
            "$path: its end is not waited for");
    }

    counts('chunks that are none', 400, '', sub {
        $t->http(Ux::Connection->request_text('POST', '/beacon',
            [ @cookie, @json, 'Transfer-Encoding' => 'chunked' ]) . "zz\r\n");
    });

    return;
}


# Bytes that come one by one, and a request behind them.
sub pieces
{
    for my $path ('/beacon', '/small', '/in_file') {
        my $connection = $t->connection;
        my $text = Ux::Connection->request_text('POST', $path,
            [ @cookie, @json ], padded(60));

        counts("$path: byte by byte", 204, $counted, sub {
            for my $byte (split //, $text) {
                $connection->send($byte);
                select undef, undef, undef, 0.001;
            }
            return $connection->read_response;
        });
        counts("$path: then one at once on the same connection", 204,
            $counted, sub {
                $connection->request('POST', $path, [ @cookie, @json ],
                    $event);
            });
        counts("$path: and two together", 204, 'events.view_item 2', sub {
            $connection->send($text x 2);
            $connection->read_response;
            return $connection->read_response;
        });
    }

    my $connection = $t->connection;

    counts('behind one that was refused', 204,
        "discarded.bad_event 1, $counted", sub {
            $connection->request('POST', '/beacon', [ @cookie, @json ],
                '{}');
            $connection->request('POST', '/beacon', [ @cookie ], $event);
            return $connection->request('POST', '/beacon',
                [ @cookie, @json ], $event);
        });

    return;
}


sub continued
{
    my @expect = (@cookie, @json, Expect => '100-continue');
    my $connection = $t->connection;
    my $first;

    counts('100-continue', 204, $counted, sub {
        $connection->send(Ux::Connection->request_text('POST', '/beacon',
            [ @expect, 'Content-Length' => length $event ]));
        $first = $connection->_read_head;
        $connection->send($event);
        return $connection->read_response;
    });
    like($first, qr{^HTTP/1.1 100 }, '100-continue: it is waited for');

    for my $case ([ 413, 'Content-Length' => $LIMIT + 1 ],
        [ 415, 'Content-Length' => 5, 'Content-Type' => 'a/b' ],
        [ 403, 'Content-Length' => 5, Origin => 'https://evil.example' ])
    {
        my ($status, @headers) = @$case;
        $connection = $t->connection;
        $connection->send(Ux::Connection->request_text('POST', '/beacon',
            [ %{{ @expect, @headers }} ]));
        like($connection->_read_head, qr{^HTTP/1.1 $status },
            "100-continue: $status at once");
    }

    return;
}


# None of the above made a file, whatever the buffers.
sub no_file
{
    counts('client_body_in_file_only on', 204, $counted,
        sub { post('/in_file', padded($LIMIT)) });
    counts('client_body_in_file_only on, in chunks', 413, '', sub {
        $t->http(chunked('/in_file', unpack('(a1000)*',
            padded($LIMIT + 1000))));
    });
    unlike($t->error_log, qr/buffered to a temporary file/, 'no file');

    my @files = grep { -f } glob $t->dir . '/client_body/*';
    is("@files", '', 'none is left, either');

    return;
}


sub from_a_file
{
    for my $path ('/mirrored', '/mirrored_memory') {
        counts("$path: $_ bytes", 204, $counted,
            sub { post($path, padded($_)) }) for 40, 900, 9000, $LIMIT;
        counts("$path: malformed", 400, 'discarded.bad_event 1',
            sub { post($path, substr padded(2000), 0, -1) });
        counts("$path: too long", 413, '',
            sub { post($path, padded($LIMIT + 1)) });
        counts("$path: too long in chunks", 413, '', sub {
            $t->http(chunked($path, unpack('(a1000)*', padded($LIMIT + 1)),
                ''));
        });
    }

    like($t->error_log, qr/buffered to a temporary file/,
        'it came from a file');
    is($t->changes(sub { post('/inner_mirror', $event);
        post('/inner', $event) }), '', 'a subrequest tells nothing');

    return;
}


sub http2
{
    my $port = $t->port('PORT_H2');
    my @headers = ('user-agent' => $Ux::Connection::BROWSER,
        cookie => $cookie[1], 'content-type' => 'application/json');
    my $long = padded($LIMIT);

    for my $case (
        [ 'one frame',          204, $counted, [ $event ] ],
        [ 'frames of a byte',   204, $counted, [ split //, $event ] ],
        [ 'an empty last one',  204, $counted, [ $event, '' ] ],
        [ 'empty ones between', 204, $counted,
            [ map { ($_, '') } split //, $event ] ],
        [ 'the limit',          204, $counted, [ unpack '(a1024)*', $long ] ],
        [ 'the limit, in frames of a byte', 204, $counted,
            [ split //, $long ] ],
        [ 'malformed',          400, 'discarded.bad_event 1',
            [ split //, '{"event":}' ] ],
        [ 'nothing',            400, 'discarded.bad_event 1', [ '' ] ],
        [ 'too long',           413, '',
            [ unpack '(a1024)*', padded($LIMIT + 1) ] ])
    {
        my ($name, $status, $expected, $parts) = @$case;

        for my $path ('/beacon', '/small') {
            my $got;
            is($t->changes(sub { ($got) = Ux::Http2->post($port, $path,
                $parts, @headers) }), $expected,
                "HTTP/2 $path: $name: what is counted");
            is($got, $status, "HTTP/2 $path: $name: answered");
        }
    }

    my $got;
    is($t->changes(sub { ($got) = Ux::Http2->post($port, '/beacon',
        [ $event ], @headers, 'content-length' => length($event) + 1) }), '',
        'HTTP/2: a length that is not the body\'s: nothing is counted');
    is($t->changes(sub { ($got) = Ux::Http2->post($port, '/beacon',
        [ $event ], @headers, origin => 'null') }), 'discarded.cross_site 1',
        'HTTP/2: another site');
    is($got, 403, 'HTTP/2: another site: answered');

    return;
}


sub slow_and_short
{
    my $rest = sub {
        my ($name, $text, $shutdown) = @_;
        my $connection = $t->connection(timeout => 30);
        my $all;
        is($t->changes(sub {
            $connection->send($text);
            $connection->shutdown if $shutdown;
            $all = $connection->read_all;
        }), '', "$name: nothing is counted");
        unlike($all, qr{^HTTP/1.1 2}, "$name: no success");
        return;
    };

    $rest->('half a body, then silence', Ux::Connection->request_text('POST',
        '/slow', [ @cookie, @json, 'Content-Length' => 100 ], $event), 0);
    $rest->('chunks without an end, then silence',
        chunked('/slow', $event), 0);
    $rest->('less than it says', Ux::Connection->request_text('POST',
        '/beacon', [ @cookie, @json, 'Content-Length' => length($event) + 1 ],
        $event), 1);
    $rest->('chunks without an end', chunked('/beacon', $event), 1);

    return;
}


# After each byte of a request: the client says no more, or is gone.
sub clients_leave
{
    my ($worker) = $t->workers;

    for my $path ('/beacon', '/small') {
        my $text = Ux::Connection->request_text('POST', $path,
            [ @cookie, @json, Host => 'a' ], $event);

        is($t->changes(sub {
            for my $n (1 .. length($text) - 1) {
                my $connection = $t->connection;
                $connection->send(substr $text, 0, $n);
                if ($n % 4) {
                    $connection->shutdown;
                    $connection->read_all;
                } else {
                    $connection->close;
                }
            }
        }), '', "$path: gone after every byte: nothing is counted");

        counts("$path: gone after the last", 204, $counted, sub {
            my $connection = $t->connection;
            $connection->send($text);
            $connection->shutdown;
            return $connection->read_response;
        });
    }

    my $chunks = chunked('/beacon', split(//, $event), '');
    is($t->changes(sub {
        for my $n (1 .. length($event)) {
            my $connection = $t->connection;
            $connection->send(substr $chunks, 0, -6 * $n);
            $connection->shutdown;
            $connection->read_all;
        }
    }), '', 'gone after every chunk: nothing is counted');

    is_deeply([ $t->workers ], [ $worker ], 'the worker lives');

    return;
}


sub other_sites
{
    my @refused = (
        [ 'Origin of another site'  => Origin => 'https://evil.example' ],
        [ 'Origin: null'            => Origin => 'null' ],
        [ 'an Origin that is none'  => Origin => 'localhost' ],
        [ 'an empty Origin'         => Origin => '' ],
        [ 'a longer name'  => Origin => 'https://localhost.evil.example' ],
        [ 'Sec-Fetch-Site'          => 'Sec-Fetch-Site' => 'cross-site' ],
        [ 'both'  => Origin => 'https://evil.example',
            'Sec-Fetch-Site' => 'cross-site' ],
        [ 'Sec-Fetch-Site against a good Origin' =>
            Origin => 'http://localhost', 'Sec-Fetch-Site' => 'cross-site' ],
    );

    for my $case (@refused) {
        my ($name, @headers) = @$case;

        my $response = counts($name, 403, 'discarded.cross_site 1',
            sub { post('/beacon', $event, @headers) });
        says($response, qr/another site/, $name);
        unlike($response->head, qr/Access-Control/i,
            "$name: no word to its script");
        counts("$name: malformed, too", 403, 'discarded.cross_site 1',
            sub { post('/beacon', 'x', @headers) });
    }

    my @taken = (
        [ 'neither Origin nor Sec-Fetch-Site' => () ],
        [ 'our own Origin'  => Origin => 'http://localhost' ],
        [ 'with a port'     => Origin => 'http://localhost:8080' ],
        [ 'same-origin'     => 'Sec-Fetch-Site' => 'same-origin' ],
        [ 'same-site'       => 'Sec-Fetch-Site' => 'same-site' ],
        [ 'typed in'        => 'Sec-Fetch-Site' => 'none' ],
    );

    for my $case (@taken) {
        my ($name, @headers) = @$case;

        counts($name, 204, $counted,
            sub { post('/beacon', $event, @headers) });
    }

    # a form of another site has no cookie of ours by SameSite
    my $response = counts('a cross-site form without a cookie', 403,
        'discarded.cross_site 1', sub {
            $t->post('/beacon', $event, 'Content-Type' => 'text/plain',
                Accept => 'text/html', Origin => 'https://evil.example',
                'Sec-Fetch-Dest' => 'document');
        });
    is($response->header('Set-Cookie'), undef, 'gets none');

    return;
}


sub allowed_sites
{
    for my $origin ('https://shop.example', 'http://a.example:8080',
        'https://b.example')
    {
        my @headers = (Origin => $origin, 'Sec-Fetch-Site' => 'cross-site');
        my $response = counts("allowed: $origin", 204, $counted,
            sub { post('/open', $event, @headers) });

        is($response->header('Access-Control-Allow-Origin'), $origin,
            "allowed: $origin: told so");
        is($response->header('Access-Control-Allow-Credentials'), 'true',
            "allowed: $origin: with its cookie");
        is($response->header('Vary'), 'Origin', "allowed: $origin: Vary");

        $response = counts("allowed: $origin: malformed", 400,
            'discarded.bad_event 1', sub { post('/open', '{}', @headers) });
        is($response->header('Access-Control-Allow-Origin'), $origin,
            "allowed: $origin: the script may read why");
    }

    for my $origin ('https://evil.example', 'null', 'http://shop.example',
        'https://shop.example:8443', 'https://shop.example.evil',
        'http://a.example', 'https://xshop.example')
    {
        my $response = counts("not allowed: $origin", 403,
            'discarded.cross_site 1',
            sub { post('/open', $event, Origin => $origin) });

        unlike($response->head, qr/Access-Control/i,
            "not allowed: $origin: no word to its script");
    }

    counts('two origins', 403, 'discarded.cross_site 1', sub {
        $t->post('/open', $event, @cookie, @json,
            Origin => 'https://shop.example',
            Origin => 'https://evil.example');
    });
    counts('an allowed site without a cookie', 204,
        'discarded.not_exposed 1', sub {
            $t->post('/open', $event, @json,
                Origin => 'https://shop.example');
        });

    return;
}


sub preflights
{
    my $ask = sub {
        my ($path, @headers) = @_;
        return $t->request('OPTIONS', $path,
            'Access-Control-Request-Method' => 'POST',
            'Access-Control-Request-Headers' => 'content-type', @headers);
    };
    my $response = counts('a preflight', 204, '',
        sub { $ask->('/open', Origin => 'https://shop.example') });
    my %said = ('Allow-Origin' => 'https://shop.example',
        'Allow-Methods' => 'POST', 'Allow-Headers' => 'Content-Type',
        'Allow-Credentials' => 'true', 'Max-Age' => '86400');

    is_deeply([ $response->headers("Access-Control-$_") ], [ $said{$_} ],
        "a preflight: $_") for sort keys %said;

    for my $origin ('https://evil.example', 'null', undef) {
        $response = counts('a preflight of '
            . (defined $origin ? $origin : 'nobody'), 403, '',
            sub { $ask->('/open', Origin => $origin) });
        unlike($response->head, qr/Access-Control/i, 'says nothing');
    }

    counts('a preflight where no site is allowed', 405, '',
        sub { $ask->('/beacon', Origin => 'https://shop.example') });

    return;
}


# limit_req and deny come before the beacon.
sub limits_in_front
{
    counts('the first in a minute', 204, $counted,
        sub { post('/limited', $event) });
    counts('the second', 503, '', sub { post('/limited', $event) });
    counts('denied', 403, '', sub { post('/denied', $event) });

    return;
}
