#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Which events are recorded, told by a location (ux_event) or by the
# application's answer (X-UX-Event), and what is refused, by reason.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxCount;
use UxTest;


my $t = Ux::nginx(
    backends => { APP => \&application },
    files => { 'page.html' => 'a page' },
    conf => <<'CONF')->start;
ux_zone shop 8m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
    metric revenue;
}

server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;
    ux_expose layout;
    add_header X-Events $ux_events always;

    proxy_set_header X-Say $http_x_say;
    proxy_set_header X-Status $http_x_status;

    # ux_event
    location = /plain      { ux_event view_item; return 200; }
    location /status/      { ux_event view_item; rewrite ^ /answer last; }

    location /only_200/ {
        ux_event view_item status=200;
        rewrite ^ /answer last;
    }

    location /classes/ {
        ux_event view_item status=2xx,404,500-502;
        rewrite ^ /answer last;
    }

    location /range/ {
        ux_event view_item status=400-499;
        rewrite ^ /answer last;
    }

    location = /answer     { proxy_pass http://%%APP%%; }

    location = /post       { ux_event view_item method=POST; return 200; }
    location = /get_post   { ux_event view_item method=GET,POST; return 200; }

    location = /put {
        ux_event view_item method=PUT,PATCH,DELETE;
        return 200;
    }

    location = /if         { ux_event view_item if=$arg_yes; return 200; }

    location = /if_status {
        ux_event view_item if=$upstream_http_x_yes;
        proxy_pass http://%%APP%%;
    }

    location = /all {
        ux_event purchase method=POST status=201,4xx if=$arg_yes
                          value=$arg_value currency=$arg_currency id=$arg_id;
        proxy_pass http://%%APP%%;
    }

    location = /buy {
        ux_event purchase value=$arg_value currency=$arg_currency id=$arg_id;
        return   200;
    }

    location = /mixed {
        ux_event purchase value=1$arg_value.50 id=order-$arg_id;
        return   200;
    }

    location = /two {
        ux_event view_item;
        ux_event view_item method=GET;
        ux_event add_to_cart if=$arg_cart;
        return   200;
    }

    location = /own { ux_event newsletter; return 200; }

    # X-UX-Event
    location /say/ { proxy_pass http://%%APP%%; }

    location = /page.html { }

    location /uxstats { ux_stats; }
}
CONF

default_statuses();
methods_and_conditions();
parameters();
each_directive_once();
lists_of_the_application();
long_numbers();
bad_lists();
what_bars();
who_is_not_exposed();
ids();
duplicates_of_the_last_eight();

$t->no_alerts;

done_testing();


# Says X-Say, if given, one line for each |, with the status of X-Status.
sub application
{
    my ($request) = @_;

    my $say = ($request->values('X-Say'))[0];
    my $status = ($request->values('X-Status'))[0] || 200;
    my @say = defined $say ? map { ('X-UX-Event' => $_) }
        split /\|/, $say, -1 : ();

    return ($status, [ 'X-Yes' => $status == 201 ? '1' : '0', @say ], 'said');
}


# A visit of a newcomer.
sub visit
{
    my ($path, @headers) = @_;

    return $t->get($path, 'X-User' => Ux::newcomer(),
        Accept => 'text/html', @headers);
}


# What a newcomer's request changes, but for the newcomer.
sub recorded
{
    my ($path, @headers) = @_;

    return $t->changes(sub { visit($path, @headers) })
        =~ s/(?:, )?visitors 1//r;
}


sub default_statuses
{
    is(recorded('/plain'), 'events.view_item 1', 'ux_event, without more');

    my %expected = (
        '/status/'   => { map { $_ => 1 } 200, 201, 204, 301, 302, 303, 307 },
        '/only_200/' => { 200 => 1 },
        '/classes/'  => { map { $_ => 1 } 200, 201, 204, 404, 500, 502 },
        '/range/'    => { map { $_ => 1 } 400, 404, 410 },
    );

    for my $path (sort keys %expected) {
        my @wrong = grep {
            recorded($path, 'X-Status' => $_)
                ne ($expected{$path}{$_} ? 'events.view_item 1' : '')
        } 200, 201, 204, 301, 302, 303, 307, 400, 404, 410, 500, 502, 503;
        is("@wrong", '', "$path: of these statuses, not of others");
    }

    return;
}


sub methods_and_conditions
{
    my %expected = ('/post' => 'POST', '/get_post' => 'GET POST',
        '/put' => 'DELETE PATCH PUT');

    # HEAD records nothing, whatever ux_event says
    for my $path (sort keys %expected) {
        my @happened = grep {
            my ($method, @user) = ($_, 'X-User' => Ux::newcomer());
            $t->navigate('/page.html', @user);
            $t->changes(sub { $t->request($method, $path, @user) })
                =~ /events\.view_item 1\b/;
        } qw(DELETE GET HEAD PATCH POST PUT);
        is("@happened", $expected{$path}, "$path: of these methods");
    }

    my %true = ('' => 0, 0 => 0, 1 => 1, '00' => 1, 'no' => 1, 'off' => 1);
    for my $value (sort keys %true) {
        is(recorded("/if?yes=$value"), $true{$value}
            ? 'events.view_item 1' : '', "if: '$value'");
    }
    is(recorded('/if'), '', 'if: a variable that is not set');
    is(recorded('/if_status', 'X-Status' => 201), 'events.view_item 1',
        'if: of the answer, true');
    is(recorded('/if_status', 'X-Status' => 200), '',
        'if: of the answer, not true');

    return;
}


# All parameters at once: each of them can prevent it.
sub parameters
{
    my $good = '/all?yes=1&value=12.34&currency=EUR&id=';
    my $post = sub {
        my ($path, $status) = @_;
        return $t->changes(sub {
            $t->post($path, 'a=b', 'X-User' => Ux::newcomer(),
                'X-Status' => $status, Accept => 'text/html');
        }) =~ s/(?:, )?visitors 1//r;
    };

    is($post->("${good}a", 201), 'events.purchase 1', 'all of them hold');
    is($post->("${good}a", 404), 'events.purchase 1', 'another status');
    is($post->("${good}a", 200), '', 'a status that is not listed');
    is($post->($good =~ s/yes=1/yes=0/r, 201), '', 'if= is not true');
    is(recorded("${good}a", 'X-Status' => 201), '', 'another method');
    is($post->($good, 201), 'events.purchase 1, purchases_without_id 1',
        'an empty id is none');
    is($post->($good =~ s/12\.34/12,34/r, 201), 'discarded.bad_event 1',
        'a value that is no number');
    is($post->($good =~ s/EUR/EURO/r, 201), 'discarded.bad_event 1',
        'a currency that is none');
    is($post->($good =~ s/12\.34/12,34/r, 200), '',
        'what does not happen is not wrong either');

    my $before = cents();
    is(recorded('/mixed?value=2&id=7'), 'events.purchase 1',
        'values of text and variables');
    is(cents() - $before, 1250, 'their worth');

    return;
}


# All revenue so far.
sub cents
{
    my $variants = $t->stats('/zones/shop/experiments/layout/variants');
    my $cents = 0;

    $cents += 100 * $_->{metrics}{revenue}{sum} for values %$variants;
    return sprintf '%.0f', $cents;
}


# More digits than RFC 9651 has: rounded half away from zero.
sub long_numbers
{
    my %worth = ('1.2345' => 123, '1.235' => 124, '"1.2345"' => 123,
        '0.00499999999999999999999999999' => 0,
        '0000000000000000000000000012.34' => 1234,
        '10000000000.00' => 1_000_000_000_000);

    for my $value (sort keys %worth) {
        my $before = cents();
        is(recorded('/say/x', 'X-Say' => "view_item, purchase;id=x;"
            . "value=$value"), 'events.purchase 1, events.view_item 1',
            "value=$value: recorded");
        is(cents() - $before, $worth{$value}, "value=$value: its worth");
    }

    return;
}


sub each_directive_once
{
    is(recorded('/two'), 'events.view_item 2', 'two directives, two events');
    is(recorded('/two?cart=1'), 'events.add_to_cart 1, events.view_item 2',
        'three directives');
    is(recorded('/own'), 'events.newsletter 1', 'an event of our own');
    is(visit('/two?cart=1')->header('X-Events'),
        'view_item,view_item,add_to_cart', '$ux_events names them');
    is(visit('/say/x', 'X-Say' => 'purchase;id=a, nonsense, refund')
        ->header('X-Events'), 'purchase', '$ux_events: what was accepted');

    return;
}


# As RFC 9651 has it.
sub lists_of_the_application
{
    my %expected = (
        'view_item' => 'events.view_item 1',
        'view_item, add_to_cart' => 'events.add_to_cart 1, '
            . 'events.view_item 1',
        "view_item\t ,\tadd_to_cart" => 'events.add_to_cart 1, '
            . 'events.view_item 1',
        'view_item|add_to_cart' => 'events.add_to_cart 1, '
            . 'events.view_item 1',
        'view_item, view_item|view_item' => 'events.view_item 3',
        '' => '',
        'view_item||add_to_cart' => 'events.add_to_cart 1, '
            . 'events.view_item 1',
        'purchase;value=49.90;currency=EUR;id="o-1"' => 'events.purchase 1',
        'purchase;value=49.90;currency=EUR;id=o-1' => 'events.purchase 1',
        'purchase;id="a \"quoted\" \\\\ id";value=1' => 'events.purchase 1',
        'purchase;id=*/token:a' => 'events.purchase 1',
        'purchase; value="49.90"; currency="EUR"; id=x' =>
            'events.purchase 1',
        'purchase;value=5;id=x;other=?0;more;bin=:aGk=:;d=@1659578233;n=-1.5'
            => 'events.purchase 1',
        'purchase;id=x;value=1;value=2' => 'events.purchase 1',
        'purchase;id=x, purchase;id="x"' => 'discarded.duplicate 1, '
            . 'events.purchase 1',
        'purchase;id=x, refund;id=x;value=0' => 'events.purchase 1, '
            . 'events.refund 1',
        'purchase;id=""' => 'events.purchase 1, purchases_without_id 1',
        'purchase' => 'events.purchase 1, purchases_without_id 1',
        'purchase, purchase' => 'events.purchase 2, purchases_without_id 2',
        'newsletter' => 'events.newsletter 1',
        join(', ', ('view_item') x 64) => 'events.view_item 64',
        'purchase;id="' . 'x' x 256 . '"' => 'events.purchase 1',
        'purchase;id=x;value=49.900000000000000000000000001'
            => 'events.purchase 1',
        'purchase;id=x;value=oops;value=1' => 'events.purchase 1',
    );

    for my $say (sort keys %expected) {
        is(recorded('/say/x', 'X-Say' => $say), $expected{$say},
            "X-UX-Event: $say");
    }

    return;
}


sub bad_lists
{
    my %reason = (
        unknown_event => [ 'nonsense', 'Purchase', 'nonsense, purchases',
            'purchase/x', '*star' ],
        bad_event => [ '"purchase"', 'purchase;', 'purchase,', ',purchase',
            'purchase purchase', 'purchase;Value=1', 'purchase;value=',
            'purchase;value=1;id', 'purchase;id=?1', 'purchase;id="a',
            'purchase;id="\x"', 'purchase;other=1.2345', 'purchase;value=1.',
            'purchase;value=1234567890123.5',
            'purchase;value=0.' . '1' x 31, 'purchase;value=token',
            'purchase;value=-1', 'purchase;value="1,5"',
            'purchase;value="1e3"', 'purchase;value="10000000000.01"',
            'purchase;value=10000000000.01', 'purchase;currency=EURO',
            'purchase;currency=eu', 'purchase;currency=1', '(purchase)',
            '1', '?1', 'purchase;id="' . 'x' x 257 . '"', "purchase;id=\x{e9}",
            'refund', 'refund;id=x', 'nonsense, purchase;value=-1',
            'nonsense;value=x', join(', ', ('view_item') x 65) ],
    );

    for my $reason (sort keys %reason) {
        for my $say (@{ $reason{$reason} }) {
            my $response;
            is($t->changes(sub {
                $response = visit('/say/x', 'X-Say' => $say);
            }), "discarded.$reason 1, visitors 1",
                'X-UX-Event: ' . substr($say, 0, 50) . " is $reason");
            is($response->header('X-UX-Event'), undef, 'and does not get out');
        }
    }

    is(recorded('/say/x', 'X-Say' => 'nonsense, view_item'),
        'discarded.unknown_event 1, events.view_item 1',
        'an unknown event takes no other with it');
    is(recorded('/say/x', 'X-Say' => 'view_item, (bad)|add_to_cart'),
        'discarded.bad_event 1, events.add_to_cart 1',
        'a bad line is refused whole, but no other line');
    is(recorded('/say/x', 'X-Say' => 'purchase;value=-1, view_item'),
        'discarded.bad_event 1, events.view_item 1',
        'a bad value takes no other with it');

    for my $bad ('value=x', 'value=?0', 'value=9999999999999999', 'value=-1',
        'value="x"', 'value', 'value=10000000000.01', 'currency=1',
        'currency=EURO', 'currency', 'id=5', 'id=?0', 'id',
        'id=' . 'x' x 257, 'value=1;currency=EUR;id=5')
    {
        my $name = substr $bad, 0, 30;
        is(recorded('/say/x', 'X-Say' => "view_item, purchase;$bad"),
            'discarded.bad_event 1, events.view_item 1',
            "view_item, purchase;$name: the first is recorded");
        is(recorded('/say/x', 'X-Say' => "purchase;$bad, view_item, "
            . "refund;$bad|purchase;$bad|add_to_cart"),
            'discarded.bad_event 1, events.add_to_cart 1, '
            . 'events.view_item 1', "$name, three times in one answer");
    }

    return;
}


# Who is not exposed for another reason than not navigating tells no event.
sub what_bars
{
    my @say = ('X-Say' => 'view_item, nonsense, purchase;value=-1');

    is(recorded('/say/x', @say, 'User-Agent' => 'Googlebot/2.1'),
        'discarded.bot 1', 'a bot: counted once, as what it is');
    is(recorded('/say/x', @say, 'Sec-Purpose' => 'prefetch'),
        'discarded.prefetch 1', 'a prefetch');
    is($t->changes(sub { $t->head('/plain', 'X-User' => Ux::newcomer(),
        Accept => 'text/html') }), 'discarded.head 1', 'HEAD');
    is(recorded('/say/x', @say), 'discarded.bad_event 1, '
        . 'events.view_item 1', 'one reason of a request, the first');

    return;
}


# No exposure came before, and no funnel knows the event.
sub who_is_not_exposed
{
    my @nobody = (Accept => '*/*', 'X-Say' => 'newsletter');
    my $known = Ux::newcomer();

    is($t->changes(sub { $t->get('/say/x', @nobody) }),
        'discarded.not_exposed 1', 'no visitor: nothing to record it with');
    is($t->changes(sub { $t->get('/say/x', @nobody,
        'X-User' => Ux::newcomer()) }), 'discarded.not_exposed 1',
        'a visitor who is not exposed');

    $t->navigate('/page.html', 'X-User' => $known);
    is($t->changes(sub { $t->get('/say/x', @nobody, 'X-User' => $known) }),
        'events.newsletter 1', 'a visitor who is');

    return;
}


sub ids
{
    my $user = Ux::newcomer();
    my $buy = sub {
        my ($query) = @_;
        return $t->changes(sub { $t->get("/buy?$query", 'X-User' => $user,
            Accept => 'text/html') }) =~ s/(?:, )?visitors 1//r;
    };

    is($buy->('value=10&id=a'), 'events.purchase 1', 'an order');
    is($buy->('value=10&id=a'), 'discarded.duplicate 1', 'loaded again');
    is($buy->('value=99&id=a'), 'discarded.duplicate 1',
        'whatever its worth');
    is($buy->('value=10&id=A'), 'events.purchase 1', 'another order');
    is($buy->('value=10'), 'events.purchase 1, purchases_without_id 1',
        'without an id');
    is($buy->('value=10'), 'events.purchase 1, purchases_without_id 1',
        'without an id, each time');
    $user = Ux::newcomer();
    is($buy->('value=10&id=a'), 'events.purchase 1',
        'the same id of another visitor');

    return;
}


sub duplicates_of_the_last_eight
{
    my $user = Ux::newcomer();
    my $buy = sub {
        my ($id) = @_;
        return $t->changes(sub { $t->get("/buy?id=$id", 'X-User' => $user,
            Accept => 'text/html') }) =~ /duplicate/ ? 1 : 0;
    };

    is(join('', map { $buy->($_) } 1 .. 8), '00000000', 'eight orders');
    is(join('', map { $buy->($_) } 1 .. 8), '11111111',
        'the last eight are known');
    $buy->(9);
    is(join('', map { $buy->($_) } 2 .. 9), '11111111',
        'and when one more has come, the last eight again');

    return;
}
