#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# An A/B test on pages that caches keep: two variants, 200 visitors, 10,000
# requests through two nginx, in three ways.
#
#   within   ours is the outer one and keeps what an inner nginx renders, a
#            page for each variant (Vary: X-UX-Variant)
#   before   a plain nginx keeps pages in front of ours (Vary: Cookie)
#   both     a plain one in front of ours, and ours keeps pages, too
#
# Nobody may ever be given the other variant's page or somebody's cookie, and
# who comes while a page is in a cache takes part like anybody else: so what
# crawlers and others without a cookie are shown is not for caches in front.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use List::Util qw(sum0 uniq);
use Test::More;
use UxCount;
use UxTest;

use constant { VISITORS => 200, REQUESTS => 10_000, CLIENTS => 4,
    PAGES => 8 };


my $MODIFIED = 'Thu, 01 Jan 2026 00:00:00 GMT';
my @PAGE = ('Sec-Fetch-Dest' => 'document', Accept => 'text/html');
my $CRAWLER = 'Mozilla/5.0 (compatible; Googlebot/2.1;'
    . ' +http://www.google.com/bot.html)';

# Who comes without a cookie and is given none.
my @STRANGERS = (
    [ @PAGE, 'User-Agent' => $CRAWLER ],
    [ @PAGE, 'Sec-GPC' => 1 ],
    [ Accept => '*/*' ],
    [ @PAGE, 'User-Agent' => $CRAWLER, 'If-Modified-Since' => $MODIFIED ],
);

my $inner = inner();

for my $way (qw(within before both)) {
    my $ours = ours($way ne 'before');
    my $front = $way eq 'within' ? $ours : front($ours);

    pages_are_kept($way, $ours, $front);
    newcomers_take_part($way, $ours, $front);
    cookies_stay_with_their_visitors($way, $ours, $front);
    events_are_not_replayed($ours) if $way eq 'within';

    $_->no_alerts("$way: no alerts") for $ours, $front == $ours ? () : $front;
}

$inner->no_alerts;

done_testing();


# The application: renders by the header, and lets everybody keep the page.
sub inner
{
    return Ux::nginx(module => 'none', conf => <<"CONF")->start;
map_hash_bucket_size 64;
map \$http_x_ux_variant \$layout {
    layout=control  control;
    layout=one_page one_page;
    default         neither;
}
add_header Cache-Control "public, max-age=3600, s-maxage=3600";
add_header Vary X-UX-Variant;
add_header Last-Modified "$MODIFIED";
add_header X-UX-Event \$event;
add_header Set-Cookie \$cookie;
map \$uri \$event  { ~^/told/ add_to_cart; default ""; }
map \$uri \$cookie {
    ~^/setting/ "ux=1.of.the.application; Path=/"; default "";
}
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 100000;
    location / { return 200 "\$layout page of \$uri"; }
}
CONF
}


# A cache that would keep cookies, too, were it not told to.
sub cache
{
    return 'proxy_cache_path %%DIR%%/cache keys_zone=cache:4m'
        . " use_temp_path=off;\n"
        . "proxy_ignore_headers Set-Cookie;\nkeepalive_requests 100000;\n";
}


sub ours
{
    my ($keeps) = @_;

    my $proxy = ($keeps ? 'proxy_cache cache; ' : '')
        . 'proxy_pass http://%%INNER%%;';

    return Ux::nginx(vars => { INNER => '127.0.0.1:' . $inner->port },
        conf => cache() . <<"CONF")->start;
ux_zone shop 8m;
ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
}
ux_funnel checkout { step add_to_cart; step purchase; }
server {
    listen 127.0.0.1:%%PORT%%;
    ux_expose layout;
    add_header X-Cache \$upstream_cache_status;
    add_header X-Ours \$upstream_cache_status;
    location / { $proxy }
    location /uxstats { ux_stats; }
}
CONF
}


sub front
{
    my ($ours) = @_;

    return Ux::nginx(module => 'none', vars => { OURS => '127.0.0.1:'
        . $ours->port }, conf => cache() . <<'CONF')->start;
server {
    listen 127.0.0.1:%%PORT%%;
    proxy_cache cache;
    proxy_hide_header X-Cache;
    add_header X-Cache $upstream_cache_status;
    location / {
        proxy_pass http://%%OURS%%;
    }
}
CONF
}


sub discarded { return $_[0]->stats('/zones/shop/discarded') }


sub variants
{
    return $_[0]->stats('/zones/shop/experiments/layout/variants');
}


sub total
{
    my ($ours, $field) = @_;

    return sum0 map { $_->{$field} } values %{ variants($ours) };
}


# What one client process saw of its share of visitors and requests.
sub browse
{
    my ($server, $client) = @_;

    my %seen = (layouts => {}, wrong => [], cookies => [], cache => {},
        given => [], failed => 0);
    my $connection = $server->connection;
    my $visitors = VISITORS / CLIENTS;
    my @jar;

    srand 1000 + $client;
    for my $n (0 .. REQUESTS / CLIENTS - 1) {
        my $who = $n < 2 * $visitors ? $n % $visitors : int rand $visitors;
        my $path = '/page/' . int rand PAGES;
        my $conditional = defined $jar[$who] && rand() < 0.1;
        my @headers = (@PAGE,
            defined $jar[$who] ? (Cookie => "ux=$jar[$who]") : (),
            rand() < 0.2 ? ('X-UX-Variant' => 'layout=one_page') : (),
            $conditional ? ('If-Modified-Since' => $MODIFIED) : ());
        my $page = $connection->request('GET', $path, \@headers);

        if (!$page || $page->status != ($conditional ? 304 : 200)) {
            $seen{failed}++;
            next;
        }

        my @cookies = $page->headers('Set-Cookie');
        if (!defined $jar[$who]) {
            $jar[$who] = $page->set_cookie('ux');
            push @{ $seen{given} }, $jar[$who];
            push @{ $seen{wrong} }, 'no cookie' if @cookies != 1;
        } elsif (@cookies) {
            push @{ $seen{cookies} }, @cookies;
        }

        $seen{cache}{$page->header('X-Cache') || 'none'}++;
        if ($page->status == 200) {
            my ($layout, $of) = split / page of /, $page->body;
            push @{ $seen{wrong} }, $page->body if $of ne $path;
            $seen{layouts}{$jar[$who] || 'none'}{$layout}++;
        }

        if (rand() < 0.05) {
            my $stranger = $STRANGERS[int rand @STRANGERS];
            my $answer = $connection->request('GET', $path, [ @$stranger ]);
            $seen{failed}++ if !$answer || $answer->status !~ /^(?:200|304)$/;
            push @{ $seen{cookies} }, $answer->headers('Set-Cookie');
        }
    }

    return \%seen;
}


sub pages_are_kept
{
    my ($way, $ours, $front) = @_;

    # crawlers were here before anybody else

    for my $n (0 .. PAGES - 1) {
        $front->get("/page/$n", @$_) for @STRANGERS;
    }
    my $before = discarded($ours);

    my @seen = Ux::parallel(CLIENTS, sub { browse($front, $_[0]) });
    my %layouts = map { %{ $_->{layouts} } } @seen;
    my @given = map { @{ $_->{given} } } @seen;
    my (%cache, %told);
    for my $cache (map { $_->{cache} } @seen) {
        $cache{$_} += $cache->{$_} for keys %$cache;
    }

    is(sum0(map { $_->{failed} } @seen), 0, "$way: no request failed");
    is(join(' ', map { @{ $_->{wrong} } } @seen), '',
        "$way: every page is the one asked for");
    is(scalar @given, VISITORS, "$way: a cookie for every visitor");
    is(scalar uniq(@given), VISITORS, "$way: of its own");
    is(join(' ', map { @{ $_->{cookies} } } @seen), '',
        "$way: nobody who has one, or may have none, is given one");

    my %id = map { $_ => (split /\./)[1] } @given;
    my $hashed = Ux::assign('layout:control=50,one_page=50',
        [ values %id ]);
    my @wrong = grep { join(' ', keys %{ $layouts{$_} })
        ne $hashed->{$id{$_}} } @given;
    is(scalar @wrong, 0, "$way: nobody sees the other variant's page")
        or diag explain { map { $_ => $layouts{$_} } @wrong[0 .. 2] };

    $told{$hashed->{$_}}++ for values %id;
    my $variants = variants($ours);
    is_deeply({ map { $_ => $variants->{$_}{visitors} } keys %told }, \%told,
        "$way: every visitor is counted, in the variant it saw");
    is(total($ours, 'assigned'), VISITORS, "$way: once");
    cmp_ok(discarded($ours)->{bot}, '>', $before->{bot},
        "$way: crawlers reach us, and are none of them");

    my $requests = sum0 values %cache;
    is($requests, REQUESTS, "$way: requests");
    my $ratio = ($cache{HIT} || 0) / $requests;
    cmp_ok($ratio, '>', $way eq 'within' ? 0.9 : 0.5,
        sprintf "$way: hit ratio %.3f", $ratio);
    return if $way ne 'within';

    Ux::wait_until(sub { http_requests($ours) >= REQUESTS });
    is(http_requests($ours), REQUESTS,
        "$way: requests from the cache are requests of the variants");

    return;
}


sub http_requests
{
    return sum0 map { $_->{http}{requests} } values %{ variants($_[0]) };
}


# By now every page is in every cache that may have it.
sub newcomers_take_part
{
    my ($way, $ours, $front) = @_;

    my $served = { within => 'HIT', before => undef, both => 'HIT' }->{$way};

    # a cache in front asks for the whole page, and may not keep this one

    for my $case ([ 'a page', 200 ], [ 'a page that it has',
        $front == $ours ? 304 : 200, 'If-Modified-Since' => $MODIFIED ])
    {
        my ($name, $status, @headers) = @$case;
        my $page;

        $name = "$way, a newcomer asks for $name";
        is($ours->changes(sub {
            $page = $front->get('/page/1', @PAGE, @headers) }),
            'assigned 1', "$name: it is assigned");
        is_deeply([ $page->status, scalar $page->header('X-Ours') ],
            [ $status, $served ], "$name: the answer");
        my $cookie = $page->set_cookie('ux');
        ok($cookie, "$name: it is given a cookie");
        like($page->header('Cache-Control') || '', qr/\bprivate\b/,
            "$name: no cache may keep that");
        unlike($page->header('Cache-Control') || '', qr/public|s-maxage/,
            "$name: and none is told to");
        like(join(', ', $page->headers('Vary')), qr/\bCookie\b/,
            "$name: it varies by the cookie");
        unlike(join(', ', $page->headers('Vary')), qr/X-UX-Variant/i,
            "$name: and not by a header nobody sends");
        is($ours->changes(sub {
            $page = $front->get('/page/1', @PAGE, @headers,
                Cookie => "ux=$cookie");
        }), 'visitors 1', "$name: its return confirms it");
        is($page->status, @headers ? 304 : 200, "$name: answered again");
    }

    return;
}


# The application sets a cookie of our name on a page that caches keep.
sub cookies_stay_with_their_visitors
{
    my ($way, $ours, $front) = @_;

    my (@cookies, @given);
    for my $n (1 .. 10) {
        my $page = $front->get('/setting/1', @PAGE);
        my @lines = $page->headers('Set-Cookie');
        push @cookies, @lines;
        push @given, grep { defined } $page->set_cookie('ux');
        my $again = $front->get('/setting/1', @PAGE,
            Cookie => "ux=$given[-1]");
        push @cookies, map { "again $_" } $again->headers('Set-Cookie');
    }

    is(scalar @cookies, 10, "$way: one cookie for each");
    is(scalar uniq(@given), 10, "$way: of its own");
    is_deeply([ grep { /application/ } @cookies ], [],
        "$way: none of the application's making");

    return;
}


# X-UX-Event of a page in the cache is of whoever made it get there.
sub events_are_not_replayed
{
    my ($ours) = @_;

    my $before = discarded($ours)->{cached};
    my @users = map { $ours->browser } 1 .. 40;
    my %state;

    my $changes = $ours->changes(sub {
        for my $user (@users) {
            my $page = $user->go('/told/1');
            $state{$page->header('X-Cache')}++;
            $state{told}++ if $page->header('X-UX-Event');
        }
    });

    my $misses = $state{MISS};
    my $hits = 40 - $misses;
    is_deeply(\%state, { MISS => $misses, HIT => $hits },
        'an event in the cache: kept from everybody');
    cmp_ok($misses, '<=', 2, 'an event in the cache: a page a variant');
    is($changes, "assigned 40, discarded.cached $hits,"
        . " events.add_to_cart $misses",
        'an event in the cache: counts for whom it was told, is cached for'
        . ' the others, who are assigned');

    return;
}
