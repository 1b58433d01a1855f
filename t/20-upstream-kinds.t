#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# An application behind every kind of upstream sees the variant exactly once
# and as nginx decided it, whatever the client sends under that name.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxTest;


my %kind = (HTTP => 'http', FASTCGI => 'fastcgi', SCGI => 'scgi',
    UWSGI => 'uwsgi', GRPC => 'grpc');

my $t = Ux::nginx(
    backends => { map { $_ => [ $kind{$_} => \&application ] } keys %kind },
    conf => <<'CONF')->start;
underscores_in_headers on;
ignore_invalid_headers off;

ux_zone shop 8m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
}

server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;
    ux_expose all;
    add_header X-Told $ux_variants always;

    location /http/ { proxy_pass http://%%HTTP%%; }
    location /grpc/ { grpc_pass grpc://%%GRPC%%; }

    location /fastcgi/ {
        fastcgi_pass  %%FASTCGI%%;
        fastcgi_param REQUEST_METHOD $request_method;
        fastcgi_param REQUEST_URI    $request_uri;
    }

    location /scgi/ {
        scgi_pass  %%SCGI%%;
        scgi_param REQUEST_METHOD $request_method;
        scgi_param REQUEST_URI    $request_uri;
        scgi_param CONTENT_LENGTH $content_length;
    }

    location /uwsgi/ {
        uwsgi_pass  %%UWSGI%%;
        uwsgi_param REQUEST_METHOD $request_method;
        uwsgi_param REQUEST_URI    $request_uri;
        uwsgi_param CONTENT_LENGTH $content_length;
    }

    location /uxstats { ux_stats; }
}
CONF

# Names under which an application could take a client's word for ours.
my %forged = (
    'nothing'         => [],
    'the name itself' => [ 'X-UX-Variant' => 'layout=forged' ],
    'another case'    => [ 'x-Ux-VARIANT' => 'layout=forged' ],
    'underscores'     => [ 'X_UX_Variant' => 'layout=forged' ],
    'another mark'    => [ 'X-UX.Variant' => 'layout=forged' ],
    'fifty copies'    => [ map { ('X-UX-Variant' => "layout=f$_") } 1 .. 50 ],
    'a mixture'       => [ 'X-First' => 1, 'X-UX-Variant' => 'layout=a',
                           'X-Middle' => 2, 'x_ux_variant' => 'layout=b',
                           'X-Last' => 3 ],
);

for my $kind (sort keys %kind) {
    for my $case (sort keys %forged) {
        application_is_told($kind, $case);
    }
    events_are_taken($kind);
}

everything_was_counted();

$t->no_alerts;

done_testing();


# Orders are answered with an event, and with headers around it.
sub application
{
    my ($request) = @_;

    return (200, [ 'X-Before' => 1, 'X-UX-Event' => 'purchase;value=10.50',
        'X-After' => 2 ], 'ordered') if $request->{uri} =~ /order/;

    return (200, [], 'fine');
}


sub application_is_told
{
    my ($kind, $case) = @_;

    my $response = $t->get('/' . lc($kind) . '/page', 'X-User' => 'u1',
        Accept => 'text/html', 'X-Other' => 'kept', @{ $forged{$case} });
    my $told = $response->header('X-Told');
    my $request = $t->backend($kind)->last_request;

    is($response->status, 200, "$kind: $case: answered");
    like($told, qr/^layout=(?:control|one_page)$/, "$kind: $case: a variant");
    is_deeply([ $request->values('X-UX-Variant') ], [ $told ],
        "$kind: $case: the application sees it once");
    is_deeply([ map { $request->values($_) } qw(X-Other X-First X-Middle
        X-Last) ], [ 'kept', $case eq 'a mixture' ? (1, 2, 3) : () ],
        "$kind: $case: nothing else is touched");

    return;
}


sub events_are_taken
{
    my ($kind) = @_;

    my $response = $t->get('/' . lc($kind) . '/order', 'X-User' => 'u1',
        Accept => 'text/html');

    is($response->header('X-UX-Event'), undef, "$kind: the event is taken");
    is_deeply([ map { $response->header($_) } qw(X-Before X-After) ],
        [ 1, 2 ], "$kind: the headers around it are not");

    return;
}


# One visitor all along, an order of each kind of upstream.
sub everything_was_counted
{
    my $variants = $t->stats('/zones/shop/experiments/layout')->{variants};
    my ($visitors, $purchases, $revenue) = (0, 0, 0);

    for my $variant (values %$variants) {
        $visitors += $variant->{visitors};
        $purchases += $variant->{metrics}{purchase}{events};
        $revenue += $variant->{metrics}{revenue}{sum};
    }

    is($visitors, 1, 'one visitor');
    is($purchases, scalar keys %kind, 'an order of every kind');
    cmp_ok(abs($revenue - 10.5 * keys %kind), '<', 0.001, 'their worth');

    return;
}
