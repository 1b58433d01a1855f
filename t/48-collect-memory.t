#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Beacons without memory: the n-th allocation fails, for every n, nginx's and
# cJSON's alike; all of a beacon is counted or nothing is.  And what is refused
# by its header takes no more of it than an answer that nginx has ready.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxCount;
use UxMemory;
use UxTest;


my $memory = UxMemory->new
    or plan skip_all => 'no compiler, or another allocator is preloaded';

my $t = Ux::nginx(workers => 1, conf => <<'CONF')->start;
    connection_pool_size 256;
    request_pool_size    256;
    ux_zone shop 1m;
    ux_experiment layout { variant control 1; variant b 1; }
    ux_expose layout;

    server {
        listen 127.0.0.1:%%PORT%%;

        location / { return 200 page; }
        location = /beacon  { ux_collect; }
        location = /small   { client_body_buffer_size 16; ux_collect; }
        location = /trusted { ux_collect trusted; }
        location = /open    { ux_collect origin=https://shop.example; }
        location = /plain   { return 400 "no beacons are taken here\n"; }
        location /uxstats   { ux_stats; }
    }
CONF

my $browser = $t->browser;

$browser->go('/');
$browser->go('/');

my ($worker) = $t->workers;
my $id = (split /\./, $browser->cookie('ux'))[1];
my @headers = (Cookie => 'ux=' . $browser->cookie('ux'),
    'Content-Type' => 'application/json', Connection => 'close');
my $two = '[{"event":"view_item"},{"name":"LCP","value":1.5,"id":"v"},'
    . '{"event":"view_item","value":1e1,"id":null,"x":[1,{}]}]';
my $named = join ',', map { $_ . qq(,"visitor":"$id"}) }
    ('{"event":"view_item"') x 2;

my @cases = (
    [ 'two events'    => '/beacon', $two ],
    [ 'byte by byte'  => '/small', $two ],
    [ 'in chunks'     => '/small', $two, 'Transfer-Encoding' => 'chunked' ],
    [ 'named'         => '/trusted', "[$named]" ],
    [ 'malformed'     => '/beacon', '{"event":"view_item"}]' ],
    [ 'another site'  => '/beacon', $two, Origin => 'https://evil.example' ],
    [ 'an allowed one' => '/open', $two, Origin => 'https://shop.example' ],
);

every_point(@$_) for @cases;
refused_cheaply();

is_deeply([ $t->workers ], [ $worker ], 'the worker is that of the start');
is($t->changes(sub { $t->post('/beacon', $two, @headers) }),
    'discarded.duplicate 1, events.view_item 2', 'and counts on');

$t->no_alerts('no alert but of memory',
    qr/(?:malloc|posix_memalign)\(.*\) failed|mmap\(|could not be|out of mem/);
done_testing();


sub text
{
    my ($path, $body, %header) = @_;

    my %all = (@headers, %header);

    return Ux::Connection->request_text('POST', $path, [ %all ], $body)
        unless $header{'Transfer-Encoding'};

    return Ux::Connection->request_text('POST', $path, [ %all ])
        . join('', map { "1\r\n$_\r\n" } split //, $body) . "0\r\n\r\n";
}


sub every_point
{
    my ($name, @request) = @_;

    my $text = text(@request);
    my ($taken, $refused, $n) = (0, 0, 0);
    my @odd;
    my $before = $t->stats('/zones/shop');

    for ($n = 1; $n <= 1000; $n++) {
        $memory->fail($n);
        my $connection = $t->connection;
        $connection->send($text);
        my $answer = $connection->read_response;
        last if $memory->left > 0;

        if (!$answer || $answer->status =~ /^50[03]$/) { $refused++ }
        elsif ($answer->status =~ /^(?:204|40[03])$/) { $taken++ }
        else { push @odd, "$n: " . $answer->status }
    }
    $memory->fail(0);

    my $after = $t->stats('/zones/shop');
    my $events = ($after->{events}{view_item} || 0)
        - ($before->{events}{view_item} || 0);

    cmp_ok($n, '>', 5, "$name: allocations failed one by one");
    is("@odd", '', "$name: as nginx answers, or as a beacon is");
    is($events % 2, 0, "$name: all of it is counted or nothing");
    cmp_ok($events / 2, '<=', $taken + $refused + 1, "$name: and once");
    note "$name: $n points, $taken taken, $refused refused";

    return;
}


# How many allocations a request takes, on a connection of its own.
sub allocations
{
    my @request = @_;

    my $many = 1_000_000;

    $memory->fail($many);
    my $connection = $t->connection;
    $connection->send(text(@request));
    my $response = $connection->read_response;
    my $taken = $many - $memory->left;
    $memory->fail(0);

    return ($taken, $response);
}


sub refused_cheaply
{
    my ($plain, $response) = allocations('/plain', $two);

    is($response->status, 400, 'an answer that nginx has ready');

    for my $case (
        [ 403, '/beacon', $two, Origin => 'https://evil.example' ],
        [ 415, '/beacon', $two, 'Content-Type' => 'text/html' ],
        [ 415, '/beacon', $two, 'Content-Encoding' => 'gzip' ],
        [ 413, '/beacon', 'x' x 16385 ])
    {
        my ($status, @request) = @$case;
        my ($taken, $answer) = allocations(@request);

        is($answer->status, $status, "$status: refused");
        cmp_ok($taken, '<=', $plain,
            "$status: $taken allocations, an answer takes $plain");
    }

    return;
}
