#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# A connection remembers what was found in its line of cookies.  Whoever sends
# other cookies, or the same to another server, on that connection is who he
# is, and a visitor who is forgotten meanwhile is.

use strict;
use warnings;

use Digest::SHA qw/ hmac_sha256_hex /;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxTest;


my $KEY = 'a signing key of sixteen bytes and more';
my $DAY = int(time / 86400);

my @PAGE = ('Sec-Fetch-Dest' => 'document', 'Sec-Fetch-Site' => 'same-origin',
    Accept => 'text/html');
my @ASSET = ('Sec-Fetch-Dest' => 'style', 'Sec-Fetch-Site' => 'same-origin',
    Accept => 'text/css');

my $t = Ux::nginx(conf => <<'CONF');
ux_zone shop 1m;
ux_secret %%DIR%%/secret;
ux_experiment layout { variant control 50; variant one_page 50; }

keepalive_requests 100000;
proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;

server {
    listen 127.0.0.1:%%PORT_app%%;
    location / { add_header X-UX-Event $arg_say; return 200 "said"; }
}

server {
    listen 127.0.0.1:%%PORT%%;
    server_name localhost;
    location / { ux_expose layout; return 200 "page"; }
    location /asset/ { return 200 "style"; }
    location /who/ { add_header X-Visitor $ux_visitor; return 200 "who"; }
    location /bot/ { add_header X-Bot $ux_bot; return 200 "bot"; }
    location /said/ { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /stored/ { proxy_pass http://127.0.0.1:%%PORT_app%%;
        proxy_cache cache; proxy_cache_valid 10m; }
    location /refused/ { ux_consent $arg_consent; return 200 "no"; }
    location /uxstats { ux_stats; }
}

server {
    listen 127.0.0.1:%%PORT%%;
    server_name other;
    ux_cookie vy;
    location / { ux_expose layout; return 200 "page"; }
    location /who/ { add_header X-Visitor $ux_visitor; return 200 "who"; }
}
CONF

Ux::_write($t->dir . '/secret', "$KEY\n");
chmod 0600, $t->dir . '/secret';
$t->start;

my ($anna, $bert) = map { sprintf '%032x', $_ } 1, 2;

for my $id ($anna, $bert) {
    $t->get('/', @PAGE, Cookie => 'ux=' . cookie($id)) for 1 .. 2;
}

is(tracked(), 2, 'two visitors are known');

others_on_the_connection();
forged_ones();
another_name();
more_lines();
lines_of_any_length();
requests_are_counted();
answers_are_heard();
forgotten_meanwhile();

$t->no_alerts;

done_testing();


sub others_on_the_connection
{
    my $c = $t->connection;

    is_deeply([ map { who($c, 'ux=' . cookie($_)) } ($anna) x 4, ($bert) x 4,
        ($anna, $bert) x 6 ], [ ($anna) x 4, ($bert) x 4,
        ($anna, $bert) x 6 ], 'whose cookie it is, each time');
    is(who($c, 'xu=' . cookie($anna)), '', 'under another name: nobody');
    is(who($c, undef), '', 'without cookies: nobody');
    $c->close;

    return;
}


sub forged_ones
{
    my $c = $t->connection;
    my $good = cookie($anna);
    my $before = discarded();

    who($c, "ux=$good") for 1 .. 4;

    for my $at (length($good) - 1, 3, 36) {
        my $bad = $good;
        substr($bad, $at, 1) =~ tr/0-9a-f/1-9a-f0/;
        is(who($c, "ux=$bad"), '', "byte $at is another: nobody");
        $c->request('GET', '/asset/a', [ @ASSET, Cookie => "ux=$bad" ]);
        is(who($c, "ux=$good"), $anna, 'and the right one again');
    }

    is(discarded() - $before, 6, 'each is counted');
    $c->close;

    return;
}


# The same line, to a server whose cookie has another name.
sub another_name
{
    my $c = $t->connection;
    my $line = 'ux=' . cookie($anna) . '; vy=' . cookie($bert);
    my @who = map { who($c, $line, $_) } ('localhost', 'localhost',
        'localhost', 'other', 'other') x 3;

    is_deeply(\@who, [ ($anna, $anna, $anna, $bert, $bert) x 3 ],
        'each server takes its own');
    $c->close;

    return;
}


sub more_lines
{
    my $c = $t->connection;
    my $line = 'ux=' . cookie($anna);

    who($c, $line) for 1 .. 4;

    my @headers = (@ASSET, Cookie => 'ux=' . cookie($bert), Cookie => $line);
    is($c->request('GET', '/who/', \@headers)->header('X-Visitor'), $bert,
        'of two lines the first');
    $c->close;

    return;
}


# Kept or not, longer or shorter than before.
sub lines_of_any_length
{
    my $c = $t->connection;
    my @who;

    for my $length (0, 0, 0, 10, 500, 900, 1100, 3000, 10, 0) {
        my $more = $length ? '; x=' . 'y' x $length : '';
        push @who, who($c, 'ux=' . cookie($bert) . $more),
            who($c, 'a=b; ux=' . cookie($anna) . $more);
    }

    is_deeply(\@who, [ ($bert, $anna) x 10 ], 'lines of any length');
    $c->close;

    return;
}


sub requests_are_counted
{
    my $c = $t->connection;
    my $before = requests();

    $c->request('GET', '/asset/a', [ @ASSET,
        Cookie => 'ux=' . cookie($anna) ]) for 1 .. 50;

    # a variable read when nothing was to be done any more

    my @bot = map { $c->request('GET', '/bot/', [ @ASSET,
        Cookie => 'ux=' . cookie($anna) ])->header('X-Bot') } 1 .. 10;
    $c->close;

    is_deeply(\@bot, [ (0) x 10 ], 'a variable is told');
    is(Ux::wait_until(sub { requests() == $before + 60 }, 30), 1,
        'requests that change nothing are counted');

    return;
}


# What an application tells is looked at, wherever it tells it.
sub answers_are_heard
{
    my $c = $t->connection;
    my %before = %{zone()->{discarded}};
    my @headers = (@ASSET, Cookie => 'ux=' . cookie($anna));

    $c->request('GET', '/asset/a', \@headers) for 1 .. 4;
    $c->request('GET', "/said/?say=$_", \@headers)
        for ('nothing_we_know') x 3, ('=') x 2;
    $c->request('GET', '/stored/?say=add_to_cart', \@headers) for 1 .. 5;
    $c->close;

    my $after = zone()->{discarded};

    is_deeply({ map { $_ => $after->{$_} - $before{$_} } qw(unknown_event
        bad_event cached) }, { unknown_event => 3, bad_event => 2,
        cached => 4 }, 'what is discarded of answers, beside pages, too');

    return;
}


sub forgotten_meanwhile
{
    my $c = $t->connection;
    my @asset = ('GET', '/asset/a', [ @ASSET,
        Cookie => 'ux=' . cookie($anna) ]);
    my $known = tracked();

    $c->request(@asset) for 1 .. 4;

    $t->get('/refused/', Cookie => 'ux=' . cookie($anna));
    is(tracked(), $known - 1, 'consent is withdrawn');

    $c->request(@asset) for 1 .. 4;
    is(tracked(), $known - 1, 'an asset brings nobody back');

    $c->request('GET', '/', [ @PAGE, Cookie => 'ux=' . cookie($anna) ])
        for 1 .. 2;
    is(tracked(), $known, 'a page does');
    $c->close;

    return;
}


sub cookie
{
    my ($id) = @_;

    my $text = "1.$id.$DAY";

    return "$text." . substr hmac_sha256_hex($text, $KEY), 0, 32;
}


sub who
{
    my ($connection, $line, $host) = @_;

    my $answer = $connection->request('GET', '/who/', [ @ASSET,
        Host => $host || 'localhost', Cookie => $line ]);
    my $who = $answer->header('X-Visitor');

    return defined $who ? $who : '';
}


sub zone      { return $t->stats('/zones/shop') }
sub tracked   { return zone()->{visitors}{tracked} }
sub discarded { return zone()->{discarded}{bad_cookie} }
sub requests  { return zone()->{http}{requests} }
