#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# A connection keeps the variants of its visitor, and the header it made of
# them.  Whatever else comes on that connection, other pages, other visitors, a
# login, an override, a clock that is set back, gets what it would get on a
# connection of its own, and is counted so.

use strict;
use warnings;

use Digest::SHA qw/ hmac_sha256_hex /;
use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Test::More;
use UxClock;
use UxHttp2;
use UxTest;


use constant HOUR => 3600;

my $KEY = 'a signing key of sixteen bytes and more';
my $DAY = int(time / 86400);
my @PAGE = ('Sec-Fetch-Dest' => 'document', 'Sec-Fetch-Site' => 'same-origin',
    Accept => 'text/html');
my @NAMES = qw(a b c d);
my %shown = ('/a' => ['a'], '/ab' => [qw(a b)], '/ba' => [qw(b a)],
    '/bcd' => [qw(b c d)], '/all' => \@NAMES, '/off' => []);
my %unsent = ('/b' => ['b'], '/cd' => [qw(c d)]);

my $clock = UxClock->new or plan skip_all => 'no compiler for a clock';
my ($start, $stop) = map { POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $_) }
    time + HOUR, time + 3 * HOUR;

my $t = Ux::nginx(conf => <<"CONF");
ux_zone shop 1m;
ux_secret %%DIR%%/secret;
ux_experiment a { variant control 50; variant one 50; goal purchase; }
ux_experiment b { variant control 50; variant two 50; goal purchase; }
ux_experiment c { variant control 50; variant three 50; goal purchase; }
ux_experiment d { variant control 0; variant four 100; goal purchase;
    start $start; }
ux_experiment e { variant control 0; variant five 100; goal purchase;
    target \$arg_five; }
ux_experiment f { variant control 0; variant six 100; goal purchase;
    start $start; stop $stop; }

keepalive_requests 100000;
map \$arg_no \$consent { default 1; 1 0; }

server {
    listen 127.0.0.1:%%PORT_app%%;
    location / { add_header X-Told "[\$http_x_ux_variant]";
        return 200 "\$http_x_ux_variant"; }
}

server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_H2%% http2;
    ux_visitor_key \$arg_login;
    ux_override \$arg_force;
    ux_consent \$consent;
    location = /uxstats { ux_stats; }
    location /uxstats/ { ux_stats; }
    @{[ join "\n", map {
        "location = $_ { ux_expose @{[ join(' ', @{$shown{$_}}) || 'off' ]};"
            . ' proxy_pass http://127.0.0.1:%%PORT_app%%; }' }
        sort keys %shown ]}
    @{[ join "\n", map {
        "location = $_ { ux_expose @{$unsent{$_}}; return 200 page; }" }
        sort keys %unsent ]}
    location = /ae { ux_expose a e;
        proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location = /f { ux_expose f; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location = /early { ux_expose a b; set \$early \$ux_variant_a;
        auth_request /auth; proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location = /auth { proxy_pass http://127.0.0.1:%%PORT_app%%; }
}
CONF

Ux::_write($t->dir . '/secret', "$KEY\n");
chmod 0600, $t->dir . '/secret';
$t->start;
$clock->forward(2 * HOUR);

my ($anna, $bert, $carol) = members();

every_page_on_one_connection();
not_all_of_the_record();
streams_of_two();
a_login_with_a_record_of_its_own();
counted_no_more();
overridden_and_refused();
a_crawler_with_her_cookie();
set_back();
set_back_further();

$t->no_alerts;

done_testing();


# Two cookies and a login, in all experiments, that differ in what they get.
sub members
{
    my %told;

    for my $n (1 .. 60) {
        my $who = $n <= 40 ? { cookie => cookie($n) } : { login => "u$n" };
        my $told = told(undef, $who, '/all');

        next if grep { $_->{told} eq $told } values %told;
        next if $n <= 40 ? keys %told == 2 : keys %told != 2;
        $told{$n} = { %$who, told => $told };
        last if keys %told == 3;
    }
    my @who = @told{sort { $a <=> $b } keys %told};
    is(scalar @who, 3, 'three that get different variants');

    # of a session's pages the first two change the record

    for my $who (@who) {
        told(undef, $who, '/all') for 1 .. 3;
        $who->{$_} = told(undef, $who, $_) for keys %shown;
    }

    return @who;
}


sub every_page_on_one_connection
{
    my $c = $t->connection;
    my (@got, @expected, %pages);
    my $before = pages();
    my @paths = sort keys %shown, keys %unsent;

    for my $n (0 .. 599) {
        my $who = $n < 300 ? $anna : ($anna, $bert)[$n / 7 % 2];
        my $path = $paths[($n < 60 ? $n / 10 : $n * 7919 + $n / 3) % @paths];

        push @got, told($c, $who, $path);
        push @expected, $who->{$path} || '';
        $pages{$_}++ for @{$shown{$path} || $unsent{$path}};
    }
    $c->close;

    is_deeply(\@got, \@expected, 'each page gets what it would alone');

    my $after = pages();
    is_deeply({ map { $_ => $after->{$_} - $before->{$_} } @NAMES }, \%pages,
        'and is counted for what it shows');

    return;
}


# Who is in an experiment by what the request says, and was never exposed.
sub not_all_of_the_record
{
    my $c = $t->connection;
    my ($a) = $anna->{'/a'};

    told($c, $anna, '/a') for 1 .. 4;

    is_deeply([ map { told($c, $anna, '/ae', five => $_, fetched => 1) }
        (1, 1, 0, 0, 1, 0) ], [ map { $_ ? "$a, e=five" : $a }
        (1, 1, 0, 0, 1, 0) ], 'what the record does not tell is asked again');
    $c->close;

    return;
}


# Beside the cookie of somebody else, whose variants the connection keeps.
sub a_login_with_a_record_of_its_own
{
    my $c = $t->connection;
    my $both = { cookie => $anna->{cookie}, login => $carol->{login} };

    told($c, $anna, '/all') for 1 .. 4;
    is(told($c, $both, '/all'), $carol->{'/all'}, 'a login is who it is');
    is(told($c, $anna, '/all'), $anna->{'/all'}, 'and the cookie another');
    is(told($c, $both, '/ba'), $carol->{'/ba'}, 'and again');
    $c->close;

    return;
}


# Who waits, for an answer or for leave, finds what another keeps meanwhile.
sub streams_of_two
{
    my (@asked, @expected, %pages);
    my $before = pages_of_variants();

    for (['/ab', $anna, 4], ['/early', $anna, 3], ['/ab', $anna, 3],
        ['/ab', $bert, 5], ['/early', $bert, 3])
    {
        my ($path, $who, $n) = @$_;

        push @asked, map { [ $path, cookie => "ux=$who->{cookie}" ] } 1 .. $n;
        push @expected, ($who->{'/ab'}) x $n;
        $pages{$_} += $n for split /, /, $who->{'/ab'};
    }

    is_deeply([ Ux::Http2->get_all($t->port('PORT_H2'), \@asked,
        'user-agent' => $Ux::Connection::BROWSER, 'accept' => 'text/html') ],
        \@expected, 'HTTP/2: each stream tells its own visitor\'s');

    my $after = pages_of_variants();
    my %counted = map { $_ => $after->{$_} - ($before->{$_} || 0) }
        keys %$after;
    is_deeply({ map { $_ => $counted{$_} } grep { $counted{$_} }
        keys %counted }, \%pages, 'and is counted for those');

    return;
}


# Who was seen in two variants.
sub counted_no_more
{
    my $c = $t->connection;
    my $before = pages();
    my %alike = map { $_ => 1 } split /, /, $carol->{'/all'};
    my @same = grep { $alike{$_} } split /, /, $anna->{'/all'};

    told($c, $anna, '/all') for 1 .. 6;
    $c->close;

    my $after = pages();
    is_deeply({ map { $_ => $after->{$_} - $before->{$_} } @NAMES },
        { (map { $_ => 0 } @NAMES), map { /^(\w)/ => 6 } @same },
        'is not counted where the variants differ');

    return;
}


sub overridden_and_refused
{
    my $c = $t->connection;
    my $forced = $anna->{'/ab'} =~ /a=one/ ? 'control' : 'one';

    told($c, $anna, '/ab') for 1 .. 4;
    like(told($c, $anna, '/ab', force => "a:$forced"), qr/a=$forced, b=/,
        'an override wins');
    is(told($c, $anna, '/ab'), $anna->{'/ab'}, 'for its request');
    is(told($c, $anna, '/ab', no => 1), 'a=control, b=control',
        'who refuses gets the controls');
    is(told($c, $anna, '/ab'), $anna->{'/ab'}, 'and then as at first');
    $c->close;

    return;
}


# One that was known and confirmed before is a bot whenever it says so.
sub a_crawler_with_her_cookie
{
    my $c = $t->connection;
    my $zone = $t->stats('/zones/shop');
    my $before = pages();
    my $browser = $Ux::Connection::BROWSER;
    my @crawler = ('User-Agent' => substr 'Mozilla/5.0 (compatible; '
        . 'Googlebot/2.1) ' . 'x' x length $browser, 0, length $browser);
    my @browser = ('User-Agent' => "$browser Mobile/1");
    my @told;

    push @told, told($c, $anna, '/ab', headers => $_)
        for [], [], [], \@crawler, [], \@crawler, \@crawler, \@browser, [];
    $c->close;
    push @told, told(undef, $anna, '/ab', headers => \@crawler);

    is_deeply(\@told, [ ($anna->{'/ab'}) x 10 ],
        'a bot is told what the cookie\'s visitor is');

    my $after = $t->stats('/zones/shop/discarded');
    is_deeply($after, { %{ $zone->{discarded} },
        bot => $zone->{discarded}{bot} + 4 }, 'and counted nowhere else');
    is_deeply([ @{ pages() }{qw(a b)} ],
        [ map { $before->{$_} + 6 } qw(a b) ], 'the visitor is, as ever');

    return;
}


sub set_back
{
    my $c = $t->connection;

    told($c, $bert, '/bcd') for 1 .. 4;
    like(told($c, $bert, '/bcd'), qr/d=four/, 'in an experiment');

    $clock->forward(-2 * HOUR);
    Ux::wait_until(sub { told(undef, $bert, '/bcd') !~ /d=four/ }, 10);
    is(told($c, $bert, '/bcd'), told(undef, $bert, '/bcd'),
        'that has not begun yet');
    unlike(told($c, $bert, '/bcd'), qr/d=four/, 'nobody gets its variant');

    $clock->forward(2 * HOUR);
    Ux::wait_until(sub { told(undef, $bert, '/bcd') =~ /d=four/ }, 10);
    is(told($c, $bert, '/bcd'), $bert->{'/bcd'}, 'and then again');
    $c->close;

    return;
}


# Of one that was over, to before it began.
sub set_back_further
{
    my $c = $t->connection;
    my $dora = { cookie => cookie(61) };

    told(undef, $dora, '/f') for 1 .. 3;
    $clock->forward(2 * HOUR);
    told(undef, $dora, '/f') for 1 .. 3;
    is_deeply([ map { told($c, $dora, '/f') } 1 .. 6 ], [ ('f=six') x 6 ],
        'in an experiment that is over');

    $clock->forward(-4 * HOUR);
    Ux::wait_until(sub { told(undef, $dora, '/f') ne 'f=six' }, 10);
    is(told($c, $dora, '/f'), told(undef, $dora, '/f'),
        'that has not begun yet');
    is(told($c, $dora, '/f'), 'f=control', 'nobody gets its variant');
    $c->close;

    return;
}


# What the application is told; undef: on a connection of its own.
sub told
{
    my ($connection, $who, $path, %arg) = @_;

    my @page = delete $arg{fetched} ? ('Sec-Fetch-Dest' => 'empty',
        'Sec-Fetch-Site' => 'same-origin') : @PAGE;
    push @page, @{ delete $arg{headers} || [] };
    $arg{login} = $who->{login} if defined $who->{login};

    my $c = $connection || $t->connection;
    my $answer = $c->request('GET', join('?', $path, join('&',
        map { "$_=$arg{$_}" } sort keys %arg)), [ @page,
        defined $who->{cookie} ? (Cookie => "ux=$who->{cookie}") : () ]);
    $c->close if !$connection;

    return ($answer->header('X-Told') || '') =~ /^\[(.*)\]$/ ? $1 : '';
}


# Of all variants, by experiment.
sub pages
{
    my $told = $t->stats('/zones/shop/experiments');
    my %pages;

    for my $name (@NAMES) {
        $pages{$name} += $_->{sessions}{pages}
            for values %{$told->{$name}{variants}};
    }

    return \%pages;
}


sub pages_of_variants
{
    my $told = $t->stats('/zones/shop/experiments');
    my %pages;

    for my $name (@NAMES) {
        my $variants = $told->{$name}{variants};
        $pages{"$name=$_"} = $variants->{$_}{sessions}{pages}
            for keys %$variants;
    }

    return \%pages;
}


sub cookie
{
    my ($n) = @_;

    my $text = sprintf '1.%032x.%d', $n, $DAY;

    return "$text." . substr hmac_sha256_hex($text, $KEY), 0, 32;
}
