#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Caches before, within and behind: what an answer says to them, and that no
# visitor is ever given the page, or the cookie, of another one.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxCount;
use UxTest;

use constant VISITORS => 40;


# What the application sends: [ name, value ] by the case in the path.
my %sent = (
    none      => [],
    variant   => [ Vary => 'X-UX-Variant' ],
    members   => [ Vary => 'Accept-Encoding, x-ux-VARIANT ,Accept' ],
    lines     => [ Vary => 'Accept', 'X-Between' => 1,
                   vary => 'X-UX-Variant', Vary => 'Origin' ],
    cookie    => [ Vary => 'Accept, cookie' ],
    nearly    => [ Vary => 'X-UX-Variants, X-UX' ],
    all       => [ Vary => '*' ],
    renamed   => [ Vary => 'X-Exp' ],
    public    => [ 'Cache-Control' => 'public, max-age=60, s-maxage=600' ],
    shouted   => [ 'Cache-Control' => 'PUBLIC,S-MaxAge=600 ,max-age=60' ],
    two       => [ 'Cache-Control' => 'max-age=60',
                   'cache-control' => 's-maxage=600', 'X-Between' => 1,
                   'Cache-Control' => 'public' ],
    quoted    => [ 'Cache-Control' => 'no-cache="a, public, \"s-maxage=1",'
                   . ' max-age=60, private="x-a, x-b"' ],
    private   => [ 'Cache-Control' => 'private, max-age=60' ],
    forbidden => [ 'Cache-Control' => 'no-store' ],
    extension => [ 'Cache-Control' => 'stale-if-error=9, publicity=1, '
                   . 's-maxage-not=2' ],
    cdn       => [ 'Cache-Control' => 'max-age=60',
                   'CDN-Cache-Control' => 'max-age=600',
                   'Surrogate-Control' => 'max-age=600',
                   'cdn-cache-control' => 'max-age=700',
                   'Expires' => 'Thu, 01 Jan 2037 00:00:00 GMT' ],
);

my $t = Ux::nginx(
    backends => { APP => \&application, PAGES => \&pages },
    files => { 'file/page.html' => 'a file' },
    vars => { PORT_BEHIND => Ux::free_port() },
    conf => <<'CONF')->start;
proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;

ux_zone shop 8m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
}

server {
    listen 127.0.0.1:%%PORT%%;
    ux_expose layout;
    ux_visitor_key $http_x_user;

    location /app/ { proxy_pass http://%%APP%%; }

    location /off/ {
        ux_expose  off;
        proxy_pass http://%%APP%%;
    }

    location /renamed/ {
        ux_header  X-Exp;
        proxy_pass http://%%APP%%;
    }

    location /expires/ {
        expires    30d;
        add_header Cache-Control "public, s-maxage=9" always;
        add_header Vary "X-UX-Variant, Origin" always;
        add_header CDN-Cache-Control max-age=9 always;
        add_header Surrogate-Control max-age=9 always;
        proxy_pass http://%%APP%%;
    }

    location /file/ { expires 30d; add_header Vary Origin; }
    location = /moved { expires 30d; return 302 /; }

    location /inner/ {
        proxy_cache cache;
        proxy_pass  http://%%PAGES%%;
        add_header  X-Cache $upstream_cache_status;
    }

    location /behind/ { proxy_pass http://127.0.0.1:%%PORT_BEHIND%%; }
    location /before/ { proxy_pass http://%%PAGES%%; }

    location /uxstats { ux_stats; }
}
CONF

# Plain nginx as a cache in front of it, and as one between it and the pages.
my $stock = Ux::nginx(module => 'none',
    vars => { PORT_BEHIND => $t->port('PORT_BEHIND'),
        UX => '127.0.0.1:' . $t->port,
        PAGES => $t->backend('PAGES')->address },
    conf => <<'CONF')->start;
proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;

server {
    listen 127.0.0.1:%%PORT%%;
    proxy_cache cache;
    add_header  X-Cache $upstream_cache_status;
    location / { proxy_pass http://%%UX%%; }
}

server {
    listen 127.0.0.1:%%PORT_BEHIND%%;
    proxy_cache cache;
    proxy_cache_key $uri;
    add_header  X-Cache $upstream_cache_status;
    location / { proxy_pass http://%%PAGES%%; }
}
CONF

what_varies();
what_is_private();
other_answers();
pages_of_a_cache('within', $t, '/inner/page');
pages_of_a_cache('behind', $t, '/behind/page');
pages_of_a_cache('before', $stock, '/before/page');

$stock->no_alerts('plain nginx: no alerts');
$t->no_alerts;

done_testing();


sub application
{
    my ($request) = @_;

    my ($case) = $request->{uri} =~ m{(\w+)$};

    return (200, $sent{$case}, 'said');
}


# One page of two variants, which may be kept.
sub pages
{
    my ($request) = @_;

    return (200, [ 'Vary' => 'X-UX-Variant',
        'Cache-Control' => 'max-age=3600' ],
        'page of ' . join '+', $request->values('X-UX-Variant'));
}


# The answer to a new browser, one that came back, one known by a key.
sub new_visitor { return $t->navigate($_[0]) }


sub known_visitor
{
    my ($path) = @_;

    my $cookie = $t->navigate('/app/none')->set_cookie('ux');

    return $t->navigate($path, Cookie => "ux=$cookie");
}


sub keyed_visitor { return $t->navigate($_[0], 'X-User' => Ux::newcomer()) }


# The application's own lines of a header.
sub lines_sent
{
    my ($case, $name) = @_;

    my @sent = @{ $sent{$case} };
    my @lines;

    while (my ($key, $value) = splice @sent, 0, 2) {
        push @lines, $value if lc $key eq lc $name;
    }

    return @lines;
}


# Members of all lines of a list header, in order of their names, but for
# case; quoted strings are whole.
sub members
{
    my ($response, $name) = @_;

    my @members = map { /((?:[^,"]|"(?:[^"\\]|\\.)*")+)/g }
        $response->headers($name);

    return join ', ', sort grep { $_ ne '' }
        map { s/^\s+|\s+$//gr } map { lc } @members;
}


sub what_varies
{
    my %expected = (
        none    => 'cookie',
        variant => 'cookie',
        members => 'accept, accept-encoding, cookie',
        lines   => 'accept, cookie, origin',
        cookie  => 'accept, cookie',
        nearly  => 'cookie, x-ux, x-ux-variants',
        all     => '*',
    );

    for my $case (sort keys %expected) {
        is(members(new_visitor("/app/$case"), 'Vary'), $expected{$case},
            "Vary, $case: of a new visitor");
        is(members(known_visitor("/app/$case"), 'Vary'), $expected{$case},
            "Vary, $case: of a known one");
        is_deeply([ $t->navigate("/off/$case")->headers('Vary') ],
            [ lines_sent($case, 'Vary') ],
            "Vary, $case: not exposed, not touched");
    }

    is(known_visitor('/app/lines')->header('X-Between'), 1,
        'Vary: headers between its lines stay');
    is(members(known_visitor('/renamed/renamed'), 'Vary'), 'cookie',
        'Vary: the name that ux_header gives');
    is(members(keyed_visitor('/app/none'), 'Vary'), '',
        'Vary: nothing where a key decides');
    is(members($t->get('/app/none'), 'Vary'), '',
        'Vary: nothing for what is no page');

    return;
}


sub what_is_private
{
    my %expected = (
        none      => 'private',
        public    => 'max-age=60, private',
        shouted   => 'max-age=60, private',
        two       => 'max-age=60, private',
        quoted    => 'max-age=60, no-cache="a, public, \"s-maxage=1", '
            . 'private',
        private   => 'max-age=60, private',
        forbidden => 'no-store, private',
        extension => 'private, publicity=1, s-maxage-not=2, stale-if-error=9',
        cdn       => 'max-age=60, private',
    );

    for my $case (sort keys %expected) {
        my $new = new_visitor("/app/$case");
        ok(defined $new->set_cookie('ux'), "Cache-Control, $case: a cookie");
        is(members($new, 'Cache-Control'), $expected{$case},
            "Cache-Control, $case: private with our cookie");
        is(members(keyed_visitor("/app/$case"), 'Cache-Control'),
            $expected{$case}, "Cache-Control, $case: private with a key");

        my $known = known_visitor("/app/$case");
        is($known->set_cookie('ux'), undef,
            "Cache-Control, $case: no cookie");
        is_deeply([ $known->headers('Cache-Control') ],
            [ lines_sent($case, 'Cache-Control') ],
            "Cache-Control, $case: not touched without");
    }

    for my $name ('CDN-Cache-Control', 'Surrogate-Control') {
        is_deeply([ new_visitor('/app/cdn')->headers($name) ], [],
            "$name: removed with our cookie");
        my $n = $name =~ /CDN/ ? 2 : 1;
        is(scalar(my @all = known_visitor('/app/cdn')->headers($name)), $n,
            "$name: stays without");
    }

    return;
}


# Against the directives of the same location, and on answers of nginx itself.
sub other_answers
{
    my $new = new_visitor('/expires/public');
    is(members($new, 'Cache-Control'), 'max-age=2592000, private',
        'expires and add_header: private with our cookie');
    is(members($new, 'Vary'), 'cookie, origin',
        'expires and add_header: Vary');
    is_deeply([ map { $new->headers($_) } 'CDN-Cache-Control',
        'Surrogate-Control' ], [], 'add_header: nothing for special caches');

    my $known = known_visitor('/expires/none');
    is(members($known, 'Cache-Control'), 'max-age=2592000, public, s-maxage=9',
        'expires and add_header: not touched without');
    is(members($known, 'Vary'), 'cookie, origin', 'add_header: Vary');

    for my $path ('/file/page.html', '/moved') {
        $new = new_visitor($path);
        is(members($new, 'Cache-Control'), 'max-age=2592000, private',
            "$path: private with our cookie");
        like(members($new, 'Vary'), qr/\bcookie\b/, "$path: Vary");
    }

    my $etag = known_visitor('/file/page.html')->header('ETag');
    $new = $t->navigate('/file/page.html', 'If-None-Match' => $etag);
    is($new->status, 304, '304: answered');
    is(members($new, 'Cache-Control'), 'max-age=2592000, private',
        '304: private with our cookie');
    like(members($new, 'Vary'), qr/\bcookie\b/, '304: Vary');

    return;
}


# Visitors, some of them new, ask for one page through a cache: so many that
# not all of them are in one variant.
sub pages_of_a_cache
{
    my ($where, $server, $path) = @_;

    my (%of, %cookie, @wrong, @replayed, %state, %variants);

    $t->backend('PAGES')->clear;

    for (1 .. VISITORS) {
        my $response = $server->navigate($path);
        my $cookie = $response->set_cookie('ux');
        push @replayed, $cookie || 'none' if !$cookie || $cookie{$cookie}++;
        $of{$cookie} = $response->body if $cookie;
        $variants{$response->body}++;
    }
    is("@replayed", '', "a cache $where: a cookie of its own for everybody");
    is(join(' ', sort keys %variants), 'page of layout=control '
        . 'page of layout=one_page', "a cache $where: two pages there are");

    for my $turn (1 .. 2) {
        for my $cookie (sort keys %of) {
            my $response = $server->navigate($path, Cookie => "ux=$cookie",
                'X-UX-Variant' => 'layout=one_page');
            $state{$response->header('X-Cache') || ''}++;
            push @wrong, $response->body if $response->body ne $of{$cookie};
            push @replayed, $response->headers('Set-Cookie');
        }
    }
    is("@wrong", '', "a cache $where: everybody is given his own page again");
    is("@replayed", '', "a cache $where: and no cookie");
    cmp_ok($state{HIT} || 0, '>=', VISITORS,
        "a cache $where: which did its work");
    cmp_ok(scalar(my @asked = $t->backend('PAGES')->requests), '<=',
        $where eq 'before' ? 2 * VISITORS : 2,
        "a cache $where: spared the pages");

    return;
}
