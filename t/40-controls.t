#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What an operator steers a request by: consent and its withdrawal, Sec-GPC,
# exclusion, override, the order in which reasons count, pages fetched ahead,
# HEAD, what ux_debug and $ux_reason_... say, and which location decides.
#
# Each part has locations of its own in one server; a visitor is known by the
# header X-User where the part is not about cookies.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxClock;
use UxCount;
use UxTest;


my $CRAWLER = 'Mozilla/5.0 (compatible; Googlebot/2.1;'
    . ' +http://www.google.com/bot.html)';
my @PAGE = ('Sec-Fetch-Dest' => 'document', 'Sec-Fetch-Site' => 'same-origin',
    Accept => 'text/html');

my $clock = UxClock->new;
my $t = Ux::nginx(conf => configuration(), backends => { APP => \&answer })
    ->start;

consent_is_asked_for();
consent_is_withdrawn();
withdrawal_takes_a_login_along();
gpc_is_obeyed();
excluded_are_served();
overrides_win();
overrides_may_be_nonsense();
reasons_have_an_order();
head_is_not_counted();
prefetched_pages_wait();
prefetched_pages_get_old();
debug_tells();
reasons_are_told();
first_location_decides();
excluded_keep_their_variant();

$t->no_alerts;

done_testing();


# Of every experiment, in the order of reasons_are_told().
sub variables
{
    my ($kind) = @_;

    return join ' ', map { "$_=\$ux_${kind}_$_" }
        qw(layout asleep over ahead past given nobody aimed);
}


sub configuration
{
    my ($layout) = @_;

    return <<"CONF";
ux_zone shop 16m experiments=16;

ux_experiment layout {
    @{[ $layout || 'variant control 50; variant one_page 50;' ]}
    goal purchase;
}
ux_experiment banner {
    variant off 50;
    variant on 50;
    variant gold 0;
}
ux_experiment asleep { variant a 1; variant b 1; state paused; }
ux_experiment over { variant a 1; variant b 1; state closed; }
ux_experiment ahead { variant a 1; variant b 1; start 2099-01-01T00:00:00Z; }
ux_experiment past { variant a 1; variant b 1; stop 2020-01-01T00:00:00Z; }
ux_experiment given { variant a 1; variant b 1; serve b; }
ux_experiment nobody { variant a 1; variant b 1; traffic 0%; }
ux_experiment aimed { variant a 1; variant b 1; target \$http_x_aim; }

ux_funnel checkout { step add_to_cart; step purchase; cart add_to_cart; }

add_header X-Visitor \$ux_visitor always;
add_header X-Layout "\$ux_variant_layout \$ux_reason_layout" always;

server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key \$http_x_user;

    location / { return 200 "page"; }

    location /plain/ {
        ux_expose layout;
        return 200 "page";
    }

    location /consent/ {
        ux_expose layout;
        ux_consent \$http_x_yes;
        location /consent/add {
            ux_event add_to_cart;
            return 200 "added";
        }
        location /consent/page { return 200 "page"; }
        location /consent/asset { ux_expose off; return 200 "asset"; }
        location /consent/gone { return 404; }
        location /consent/app { proxy_pass http://%%APP%%; }
        location /consent/no_gpc { ux_gpc off; return 200 "page"; }
    }

    location /gpc/ {
        ux_expose layout;
        location /gpc/off { ux_gpc off; return 200 "page"; }
        location /gpc/on { return 200 "page"; }
    }

    location /exclude/ {
        ux_expose layout;
        ux_exclude \$http_x_staff \$arg_probe;
        location /exclude/add {
            ux_event add_to_cart;
            proxy_pass http://%%APP%%;
        }
        location /exclude/page { return 200 "page"; }
    }

    location /override/ {
        ux_expose all;
        ux_override \$http_x_ab;
        ux_consent \$http_x_yes;
        location /override/add {
            ux_event add_to_cart;
            proxy_pass http://%%APP%%;
        }
        location /override/page { proxy_pass http://%%APP%%; }
    }

    location /order/ {
        ux_expose layout;
        ux_event purchase value=1;
        ux_exclude \$http_x_staff;
        ux_override \$http_x_ab;
        ux_consent \$http_x_yes;
        return 200 "page";
    }

    location /ahead/ {
        ux_expose layout;
        location /ahead/add { ux_event add_to_cart; return 200 "added"; }
        location /ahead/page { return 200 "page"; }
        location /ahead/asset { ux_expose off; return 200 "asset"; }
    }

    location /debug/ {
        ux_expose layout banner;
        ux_debug \$http_x_debug;
        ux_exclude \$http_x_staff;
        ux_override \$http_x_ab;
        ux_consent \$http_x_yes;
        location /debug/buy {
            ux_event purchase value=5 id=\$arg_id;
            return 200 "bought";
        }
        location /debug/page { return 200 "page"; }
    }

    location /reasons/ {
        ux_expose all;
        ux_override \$http_x_ab;
        ux_consent \$http_x_yes;
        add_header X-Reasons "@{[ variables('reason') ]}" always;
        add_header X-Variants "@{[ variables('variant') ]}" always;
        proxy_pass http://%%APP%%;
    }

    location /first/ {
        location /first/none/ {
            ux_consent \$http_x_first;
            ux_exclude \$http_x_staff;
            rewrite ^ /second/ last;
        }
        location /first/off/ {
            ux_expose off;
            rewrite ^ /second/ last;
        }
        location /first/consent/ {
            ux_expose layout;
            ux_consent \$http_x_first;
            rewrite ^ /third/ last;
        }
        location /first/exclude/ {
            ux_expose layout;
            ux_exclude \$http_x_staff;
            rewrite ^ /third/ last;
        }
        location /first/override/ {
            ux_expose layout;
            ux_override \$http_x_ab;
            rewrite ^ /third/ last;
        }
        location /first/try/ {
            ux_expose layout;
            ux_exclude \$http_x_staff;
            try_files /none /third/;
        }
    }
    location /second/ {
        ux_expose layout;
        ux_consent \$http_x_second;
        ux_exclude \$http_x_guest;
        ux_override \$http_x_other;
        return 200 "page";
    }
    location /third/ {
        ux_expose layout;
        ux_exclude \$http_x_guest;
        ux_override \$http_x_other;
        return 200 "page";
    }

    location /uxstats { ux_stats; }
}

server {
    listen 127.0.0.1:%%PORT%%;
    server_name cookie.example;
    ux_cookie trail domain=cookie.example path=/own samesite=strict
              secure=on;
    ux_consent \$http_x_yes;
    location / { ux_expose layout; return 200 "page"; }
}
CONF
}


sub answer
{
    my ($request) = @_;

    my @told = $request->values('X-UX-Variant');

    return (200, [ 'X-Told' => join('|', @told),
        $request->{uri} =~ /add/ ? ('X-UX-Event' => 'purchase;value=3') : ()
        ], 'said');
}


sub zone { return $t->stats('/zones/shop') }
sub tracked { return zone()->{visitors}{tracked} }


sub layout
{
    return $t->stats('/zones/shop/experiments/layout/variants');
}


# Sum over the variants of layout.
sub total
{
    my ($read) = @_;

    my $sum = 0;
    $sum += $read->($_) for values %{ layout() };

    return $sum;
}


# What the hash gives to each key: the same for anybody.
sub hashed
{
    return Ux::assign('layout:control=50,one_page=50', [ @_ ]);
}


sub told { return (split / /, $_[0]->header('X-Layout'))[0] }
sub why  { return (split / /, $_[0]->header('X-Layout'))[1] }


sub newcomers { return map { Ux::newcomer() } 1 .. $_[0] }


sub consent_is_asked_for
{
    my $before = tracked();
    my %seen;

    for my $no (undef, '', '0') {
        my $name = 'consent ' . (defined $no ? "\"$no\"" : 'not said');
        my ($page, $keyed);

        is($t->changes(sub {
            $page = $t->get('/consent/page', @PAGE, 'X-Yes' => $no) }),
            'discarded.no_consent 1', "$name: counted as that, once");
        is_deeply([ $page->status, $page->header('X-Layout'),
            $page->headers('X-Visitor'), $page->headers('Set-Cookie') ],
            [ 200, 'control default' ],
            "$name: the control, no key, no cookie");
        is($t->changes(sub {
            $t->get('/consent/add', @PAGE, 'X-Yes' => $no) }),
            'discarded.no_consent 1', "$name: page and event are one");
        is($t->changes(sub {
            $t->get('/consent/page', Accept => '*/*', 'X-Yes' => $no) }),
            '', "$name: what is no navigation is not counted");
        is($t->changes(sub {
            $t->get('/consent/add', Accept => '*/*', 'X-Yes' => $no) }),
            'discarded.no_consent 1', "$name: but an event is");
        $t->backend('APP')->clear;
        $t->get('/consent/app', @PAGE, 'X-Yes' => $no);
        is($t->backend('APP')->last_request->value('X-UX-Variant'),
            'layout=control', "$name: the application is told the control");

        for my $user (newcomers(12)) {
            $keyed = $t->navigate('/consent/page', 'X-User' => $user,
                'X-Yes' => $no);
            $seen{$keyed->header('X-Layout')}++;
        }
    }

    is_deeply(\%seen, { 'control default' => 36 },
        'no consent: the control for those with a key, too');
    is(tracked(), $before, 'no consent: nobody has a record');

    for my $yes ('1', 'yes', '00', 'no', ' 0 0') {
        my $page = $t->get('/consent/page', @PAGE, 'X-Yes' => $yes);
        ok($page->set_cookie('ux'), "consent \"$yes\": a cookie");
        is(why($page), 'split', "consent \"$yes\": a variant");
    }

    return;
}


sub consent_is_withdrawn
{
    my @yes = ('X-Yes' => 1);
    my $browser = $t->browser;
    my $id = $browser->go('/consent/add', @yes)->header('X-Visitor');
    my $before = tracked();

    $browser->go('/consent/page', @yes);
    my $cookie = $browser->cookie('ux');
    my @counted = map { my $v = layout()->{$_};
        delete $v->{http}; $v } qw(control one_page);
    my $events = zone()->{events};

    my $page;
    is($t->changes(sub { $page = $browser->go('/consent/page') }),
        'discarded.no_consent 1', 'withdrawal: counted as no consent');
    is($page->header('X-Visitor'), undef, 'withdrawal: nobody');
    is($page->header('X-Layout'), 'control default',
        'withdrawal: the control');
    is_deeply([ $page->headers('Set-Cookie') ],
        [ 'ux=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax' ],
        'withdrawal: the cookie is taken back');
    like($page->header('Cache-Control') || '', qr/\bprivate\b/,
        'withdrawal: an answer that says so is private');
    is($browser->cookie('ux'), undef, 'withdrawal: a browser obeys');
    is(tracked(), $before - 1, 'withdrawal: the record is erased at once');
    is_deeply([ map { my $v = layout()->{$_}; delete $v->{http}; $v }
        qw(control one_page) ], \@counted,
        'withdrawal: what it had counted stays');
    is_deeply(zone()->{events}, $events, 'withdrawal: events stay');
    is($t->changes(sub { $browser->go('/consent/page') }),
        'discarded.no_consent 1', 'withdrawal: goes on without consent');
    is($browser->go('/consent/page')->header('Set-Cookie'), undef,
        'withdrawal: nothing to take back any more');

    my $again;
    is($t->changes(sub {
        $again = $browser->go('/consent/page', @yes);
        $browser->asset('/consent/asset', @yes);
    }), 'visitors 1', 'withdrawal: the next consent is a new visitor');
    isnt($again->header('X-Visitor'), $id, 'withdrawal: of another id');

    # whatever the answer, and where nothing is exposed

    for my $way ([ 'a page that is not there', 'go', '/consent/gone' ],
        [ 'an asset', 'asset', '/consent/page' ],
        [ 'a script\'s request', 'fetch', '/consent/add' ],
        [ 'a form', 'post', '/consent/page', '' ],
        [ 'a location that exposes nothing', 'asset', '/consent/asset' ])
    {
        my ($name, $method, @arguments) = @$way;
        my $other = $t->browser;

        $other->go('/consent/page', @yes);
        my $tracked = tracked();
        my $answer = $other->$method(@arguments);
        is($answer->set_cookie('ux'), '',
            "withdrawal by $name: the cookie is taken back");
        is(tracked(), $tracked - 1,
            "withdrawal by $name: the record is erased");
    }

    my $unconfirmed = $t->browser;
    $unconfirmed->go('/consent/page', @yes);
    my $provisional = zone()->{visitors}{provisional};
    is($t->changes(sub { $unconfirmed->asset('/consent/asset') }), '',
        'withdrawal: confirms nobody');
    is(zone()->{visitors}{provisional}, $provisional - 1,
        'withdrawal: no provisional record is left either');

    my $host = 'cookie.example';
    my $own = $t->get('/own/', @PAGE, @yes, Host => $host);
    like($own->header('Set-Cookie'), qr{^trail=1\..*;\ Domain=cookie\.example;
        \ Path=/own;.*\ Secure; }x, 'withdrawal: a cookie of its own form');
    is_deeply([ $t->get('/own/', @PAGE, Host => $host,
        Cookie => 'trail=' . $own->set_cookie('trail'))
        ->headers('Set-Cookie') ], [ 'trail=; Domain=cookie.example;'
        . ' Path=/own; Max-Age=0; Secure; HttpOnly; SameSite=Strict' ],
        'withdrawal: taken back with the name, domain and path it has');

    return;
}


# A key and a cookie of one person, joined or not.
sub withdrawal_takes_a_login_along
{
    my @yes = ('X-Yes' => 1);
    my $user = Ux::newcomer();
    my $none = tracked();

    $t->navigate('/consent/page', @yes, 'X-User' => $user);
    is(tracked(), $none + 1, 'withdrawal, key only: a record there is');
    my $page = $t->navigate('/consent/page', 'X-User' => $user);
    is(tracked(), $none, 'withdrawal, key only: erased');
    is($page->header('Set-Cookie'), undef,
        'withdrawal, key only: no cookie to take back');

    for my $cookie_comes (1, 0) {
        my $name = 'withdrawal, joined, '
            . ($cookie_comes ? 'both come' : 'only the key comes');
        my $browser = $t->browser;
        $user = Ux::newcomer();
        $browser->go('/consent/page', @yes);
        $browser->go('/consent/page', @yes, 'X-User' => $user);
        my $there = tracked();

        cmp_ok($there, '>', $none, "$name: records there are");
        $browser->forget unless $cookie_comes;
        $browser->go('/consent/page', 'X-User' => $user);
        is(tracked(), $none, "$name: all are erased");
    }

    return;
}


sub gpc_is_obeyed
{
    my $page;

    is($t->changes(sub {
        $page = $t->get('/gpc/on', @PAGE, 'Sec-GPC' => '1') }),
        'discarded.no_consent 1', 'Sec-GPC: 1: no consent');
    is_deeply([ $page->header('X-Layout'), $page->set_cookie('ux') ],
        [ 'control default', undef ],
        'Sec-GPC: 1: the control and no cookie');

    my $browser = $t->browser;
    $browser->go('/gpc/on');
    my $tracked = tracked();
    is($browser->go('/gpc/on', 'Sec-GPC' => '1')->set_cookie('ux'), '',
        'Sec-GPC: 1: takes the cookie back');
    is(tracked(), $tracked - 1, 'Sec-GPC: 1: and erases the record');

    for my $header ([ 'Sec-GPC' => '0' ], [ 'Sec-GPC' => '' ],
        [ 'Sec-GPC' => 'true' ], [ 'Sec-GPC' => '11' ],
        [ 'Sec-GPC' => '?1' ], [ 'Sec-GPC' => '01' ], [ DNT => '1' ],
        [ 'X-GPC' => '1' ])
    {
        ok($t->get('/gpc/on', @PAGE, @$header)->set_cookie('ux'),
            "$header->[0]: $header->[1]: says nothing");
    }

    ok($t->get('/gpc/off', @PAGE, 'Sec-GPC' => '1')->set_cookie('ux'),
        'ux_gpc off: Sec-GPC is not read');
    is($t->get('/consent/page', @PAGE, 'X-Yes' => 1, 'Sec-GPC' => 1)
        ->set_cookie('ux'), undef, 'Sec-GPC: 1: is stronger than consent');
    ok($t->get('/consent/no_gpc', @PAGE, 'X-Yes' => 1, 'Sec-GPC' => 1)
        ->set_cookie('ux'), 'ux_gpc off: consent alone decides');

    return;
}


sub excluded_are_served
{
    my @users = newcomers(30);
    my %told;
    my $before = tracked();

    is($t->changes(sub {
        for my $user (@users) {
            my $page = $t->navigate('/exclude/page', 'X-User' => $user,
                'X-Staff' => 1);
            $told{$user} = told($page);
        }
    }), 'discarded.excluded 30', 'excluded: each request is counted as that');
    is_deeply(\%told, hashed(@users),
        'excluded: with the variant anybody would get');
    is(tracked(), $before, 'excluded: a key gets no record');

    my $page;
    is($t->changes(sub {
        $page = $t->navigate('/exclude/add', 'X-User' => Ux::newcomer(),
            'X-Staff' => 'me');
    }), 'discarded.excluded 1',
        'excluded: neither page nor events of either source');
    is($page->header('X-UX-Event'), undef,
        'excluded: the application\'s event is taken out all the same');
    like($page->header('X-Told'), qr/^layout=(?:control|one_page)$/,
        'excluded: the application is told the variant');
    is($t->changes(sub { $t->get('/exclude/page', 'X-Staff' => 1) }), '',
        'excluded: what is no navigation is not counted');
    is($t->changes(sub {
        $t->navigate('/exclude/page?probe=yes', 'X-User' => Ux::newcomer());
    }), 'discarded.excluded 1', 'excluded: by the second variable as well');
    is($t->changes(sub {
        $t->navigate('/exclude/page?probe=0', 'X-User' => Ux::newcomer(),
            'X-Staff' => '');
    }), 'visitors 1', 'excluded: not by "0" and ""');

    $before = tracked();
    my $browser = $t->browser;
    my ($variant, $id);
    is($t->changes(sub {
        for (1 .. 4) {
            my $answer = $browser->go('/exclude/page', 'X-Staff' => 1);
            $variant ||= told($answer);
            $id ||= $answer->header('X-Visitor');
            is(told($answer), $variant, 'excluded: the variant stays');
            is($answer->header('X-Visitor'), $id, 'excluded: so does the id');
        }
    }), 'discarded.excluded 4', 'excluded: a browser is not counted');
    is(tracked(), $before + 1,
        'excluded: but known by its cookie, not to be taken for a lost one');
    is($t->changes(sub {
        is(told($browser->go('/exclude/page')), $variant,
            'excluded no longer: the same variant');
    }), 'visitors 1', 'excluded no longer: counted from then on');

    my $half = $t->browser;
    $half->go('/exclude/page');
    is($t->changes(sub { $half->go('/exclude/page', 'X-Staff' => 1) }),
        'discarded.excluded 1',
        'excluded: a cookie that comes back does not confirm');

    return;
}


# After a re-weight that would move everybody who has no record.
sub excluded_keep_their_variant
{
    my @users = newcomers(30);
    my %told = map { $_ => told($t->navigate('/exclude/page',
        'X-User' => $_)) } @users;
    my (%now, %why);

    ok($t->reload(conf => configuration(
        'variant control 0; variant one_page 50;')),
        'excluded: other weights');
    for my $user (@users) {
        my $page = $t->navigate('/exclude/page', 'X-User' => $user,
            'X-Staff' => 1);
        $now{$user} = told($page);
        $why{why($page)}++;
    }

    is_deeply(\%now, \%told, 'excluded: who has a record keeps the variant');
    is_deeply(\%why, { cached => 30 }, 'excluded: by that record');

    return;
}


sub overridden
{
    my ($ab, @headers) = @_;

    return $t->navigate('/override/page', 'X-User' => Ux::newcomer(),
        'X-Yes' => 1, 'X-AB' => $ab, @headers);
}


sub overrides_win
{
    my %expected = (
        'layout:control' => [ 'layout=control' ],
        'layout:one_page' => [ 'layout=one_page' ],
        'layout:one_page,banner:gold' => [ 'layout=one_page',
            'banner=gold' ],
        'banner:gold' => [ 'banner=gold' ],
        'asleep:b' => [ 'asleep=b' ],
        'over:b' => [ 'over=b' ],
        'ahead:b past:b' => [ 'ahead=b', 'past=b' ],
        'given:a' => [ 'given=a' ],
        'nobody:b' => [ 'nobody=b' ],
        'aimed:b' => [ 'aimed=b' ],
        ' ,layout:one_page, ,banner:on,' => [ 'layout=one_page',
            'banner=on' ],
        'nonsense layout:one_page banner:nonsense' => [ 'layout=one_page' ],
    );

    for my $ab (sort keys %expected) {
        my $page;
        is($t->changes(sub { $page = overridden($ab) }),
            'discarded.override 1', "override \"$ab\": counted as that only");
        my %told = map { $_ => 1 } split /, /, $page->header('X-Told');
        is_deeply([ grep { !$told{$_} } @{ $expected{$ab} } ], [],
            "override \"$ab\": the application is told");
        is(why($page), $ab =~ /layout:/ ? 'static' : 'split',
            "override \"$ab\": the reason, and that of the others");
    }

    my $before = tracked();
    is($t->changes(sub {
        $t->navigate('/override/add', 'X-User' => Ux::newcomer(),
            'X-Yes' => 1, 'X-AB' => 'layout:one_page');
    }), 'discarded.override 1', 'override: no event of either source');
    is(tracked(), $before, 'override: a key gets no record');
    is($t->changes(sub {
        $t->get('/override/page', 'X-AB' => 'layout:one_page',
            'X-Yes' => 1);
    }), '', 'override: what is no navigation is not counted');

    my $page;
    is($t->changes(sub {
        $page = $t->get('/override/page', @PAGE, 'X-AB' => 'layout:one_page');
    }), 'discarded.override 1', 'override: without consent');
    is_deeply([ $page->header('X-Layout'), $page->header('X-Told') =~
        /(layout=\w+)/, $page->set_cookie('ux') ],
        [ 'one_page static', 'layout=one_page', undef ],
        'override: wins over consent, and gives no cookie');

    my $tracked = tracked();
    ok($t->get('/override/page', @PAGE, 'X-AB' => 'layout:one_page',
        'X-Yes' => 1)->set_cookie('ux'), 'override: mints with consent');
    is(tracked(), $tracked + 1, 'override: and knows who comes back');

    for my $header ([ 'User-Agent' => $CRAWLER ],
        [ 'Sec-Purpose' => 'prefetch' ], [ 'Sec-GPC' => 1 ])
    {
        is(overridden('layout:one_page', @$header)->header('X-Layout'),
            'one_page static', "override: also with $header->[0]");
    }

    my $user = Ux::newcomer();
    my @user = ('X-User' => $user, 'X-Yes' => 1);
    my $own = told($t->navigate('/override/page', @user));
    my $other = $own eq 'control' ? 'one_page' : 'control';
    is($t->changes(sub {
        is($t->navigate('/override/page', @user, 'X-AB' => "layout:$other")
            ->header('X-Layout'), "$other static",
            'override: wins over the record');
    }), 'discarded.override 1', 'override: a visitor is not counted again');
    is($t->navigate('/override/page', @user)->header('X-Layout'),
        "$own cached", 'override: the record is as it was');
    is_deeply([ @{ $t->stats('/zones/shop/experiments/layout') }
        { qw(crossover_visitors moved_visitors) } ], [ 0, 0 ],
        'override: makes neither crossovers nor moved visitors');

    return;
}


sub overrides_may_be_nonsense
{
    for my $ab ('', '0', 'layout', 'layout:', ':one_page', ':', ',', ' , ',
        'layout=one_page', 'layout:one_page:x', 'layout::one_page',
        'nothing:one_page', 'layout:nothing', 'LAYOUT:one_page',
        'layout:ONE_PAGE', 'layout:one_pag', 'layout:one_pagex',
        'layou:one_page', 'layout;one_page', '"layout:one_page"',
        "layout:one_page\xff", 'x' x 5000, ':' x 5000, 'layout:' x 500,
        '<script>:alert')
    {
        my $name = length $ab > 30 ? substr($ab, 0, 12) . '...' : $ab;
        $name =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
        my $page;

        is($t->changes(sub { $page = overridden($ab) }), 'visitors 2',
            "override \"$name\": ignored, and both experiments count");
        is($page ? why($page) : 'no answer', 'split',
            "override \"$name\": an ordinary visitor");
    }

    return;
}


# Everything at once, and then one less after the other.
sub reasons_have_an_order
{
    my @all = (
        [ excluded   => 'X-Staff' => 1 ],
        [ override   => 'X-AB' => 'layout:one_page' ],
        [ no_consent => 'Sec-GPC' => 1 ],
        [ bot        => 'User-Agent' => $CRAWLER ],
        [ prefetch   => 'Sec-Purpose' => 'prefetch' ],
    );
    my @cross = ([ cross_site => 'Sec-Fetch-Site' => 'cross-site' ]);
    my @page = (Accept => 'text/html', 'Sec-Fetch-Dest' => 'document',
        'X-Yes' => 1);

    for my $method ('HEAD', 'POST') {
        my @rest = (@all, $method eq 'POST' ? @cross : [ 'head' ]);

        while (@rest) {
            my @headers = map { @$_[1 .. $#$_] } @rest;
            is($t->changes(sub {
                $t->request($method, '/order/', @page, @headers) }),
                "discarded.$rest[0][0] 1", "$method: $rest[0][0] comes"
                . ' before ' . join ', ', map { $_->[0] } @rest[1 .. $#rest]);
            shift @rest;
        }
    }

    is($t->changes(sub {
        $t->request('GET', '/order/', @page, 'User-Agent' => $CRAWLER,
            'X-Staff' => 1);
    }), 'discarded.excluded 1', 'a bot that is excluded counts once, as that');
    is($t->changes(sub {
        $t->request('GET', '/order/', @page, 'User-Agent' => $CRAWLER,
            Cookie => 'ux=nonsense');
    }), 'discarded.bad_cookie 1, discarded.bot 1',
        'a bad cookie is counted beside another reason');
    is($t->changes(sub {
        $t->request('GET', '/order/', @page, 'X-User' => Ux::newcomer(),
            'Sec-Fetch-Site' => 'cross-site');
    }), 'events.purchase 1, purchases_without_id 1, visitors 1',
        'a GET of another site is none of them');

    return;
}


sub head_is_not_counted
{
    my ($page, %told);

    is($t->changes(sub {
        for (1 .. 5) {
            $page = $t->head('/plain/', @PAGE);
            $told{$page->header('X-Layout')}++;
        }
    }), 'discarded.head 5', 'HEAD: counted as that');
    is_deeply([ values %told ], [ 5 ], 'HEAD: one variant for an address');
    is_deeply([ $page->headers('Set-Cookie'), $page->headers('X-Visitor') ],
        [], 'HEAD: no cookie and no key');

    my $browser = $t->browser;
    my $variant = told($browser->go('/plain/'));
    is($t->changes(sub {
        is(told($t->head('/plain/', @PAGE,
            Cookie => 'ux=' . $browser->cookie('ux'))), $variant,
            'HEAD: with a cookie the visitor\'s own variant');
    }), 'discarded.head 1, visitors 1',
        'HEAD: exposes nobody, and its cookie confirms');

    return;
}


sub prefetched_pages_wait
{
    for my $header ([ 'Sec-Purpose' => 'prefetch' ],
        [ 'Sec-Purpose' => 'prefetch;prerender' ],
        [ 'Sec-Purpose' => 'prefetch;anonymous-client-ip' ],
        [ Purpose => 'prefetch' ])
    {
        my $name = "$header->[0]: $header->[1]";
        my $browser = $t->browser;
        my $before = tracked();
        my $page;

        is($t->changes(sub {
            $page = $browser->go('/ahead/add', @$header) }),
            'discarded.prefetch 1', "$name: counted as that, at once");
        ok($page->set_cookie('ux'), "$name: mints");
        is(why($page), 'split', "$name: assigns");
        is(tracked(), $before + 1, "$name: is remembered");
        is($t->changes(sub { $browser->go('/ahead/page', @$header) }),
            'discarded.prefetch 1', "$name: another one exposes nothing");
        my $variant = told($page);
        is($t->changes(sub {
            is($browser->go('/ahead/page')->header('X-Layout'),
                "$variant cached", "$name: the page keeps the variant");
        }), 'visitors 1', "$name: the page is the exposure");
        is($t->changes(sub { $browser->go('/ahead/page', @$header) }),
            'discarded.prefetch 1', "$name: later ones are only counted");
        is($t->changes(sub { $browser->go('/ahead/page') }), '',
            "$name: and expose nobody twice");
    }

    for my $way ([ 'an asset', 'asset', '/ahead/asset' ],
        [ 'a request for a script', 'fetch', '/ahead/page' ])
    {
        my ($name, $method, $path) = @$way;
        my $browser = $t->browser;
        $browser->go('/ahead/page', 'Sec-Purpose' => 'prefetch');
        is($t->changes(sub { $browser->$method($path) }), 'visitors 1',
            "a page fetched ahead: $name is the exposure");
        is($t->changes(sub { $browser->$method($path) }), '',
            "a page fetched ahead: $name only once");
    }

    my $key = Ux::newcomer();
    is($t->changes(sub {
        $t->navigate('/ahead/page', 'X-User' => $key,
            'Sec-Purpose' => 'prefetch');
    }), 'discarded.prefetch 1', 'a page fetched ahead with a key: waits');
    is($t->changes(sub {
        $t->get('/ahead/add', 'X-User' => $key) }),
        'events.add_to_cart 1, visitors 1',
        'a page fetched ahead with a key: the event that follows counts');

    my $shown = $t->browser;
    $shown->go('/ahead/page');
    $shown->asset('/ahead/asset');
    is($t->changes(sub {
        $shown->go('/ahead/add', 'Sec-Purpose' => 'prefetch') }),
        'discarded.prefetch 1', 'fetched ahead: records no event');
    is($t->changes(sub { $shown->asset('/ahead/asset') }), '',
        'fetched ahead: nor does it later');

    is($t->changes(sub {
        $t->get('/ahead/page', Accept => '*/*', 'Sec-Purpose' => 'prefetch');
    }), '', 'an asset fetched ahead is nothing');

    return;
}


sub prefetched_pages_get_old
{
    SKIP: {
        skip 'no compiler to make a clock', 2 unless $clock;

        my @early = ($t->browser, $t->browser);
        my @late = ($t->browser, $t->browser);

        $_->go('/ahead/page', 'Sec-Purpose' => 'prefetch') for @late;
        $clock->forward(30);
        $_->go('/ahead/page', 'Sec-Purpose' => 'prefetch') for @early;
        $clock->forward(272);

        is($t->changes(sub {
            $early[0]->asset('/ahead/asset');
            $early[1]->go('/ahead/page');
        }), 'visitors 2', 'fetched ahead: within 5 minutes it is exposed');
        is($t->changes(sub { $late[0]->asset('/ahead/asset') }), '',
            'fetched ahead: after 5 minutes it is not');
        is($t->changes(sub { $late[1]->go('/ahead/page') }), 'visitors 1',
            'fetched ahead: but the page is an exposure of its own');
    }

    return;
}


sub debug_of
{
    my ($path, @headers) = @_;

    return $t->navigate($path, 'X-Debug' => 1, 'X-Yes' => 1, @headers)
        ->header('X-UX-Debug');
}


sub debug_tells
{
    my $variants = qr/variants=layout=(?:control|one_page):split,
        \ banner=(?:off|on):split/x;

    for my $off (undef, '', '0') {
        is($t->navigate('/debug/page', 'X-Debug' => $off)
            ->header('X-UX-Debug'), undef, 'ux_debug: only when set');
    }
    is($t->navigate('/plain/', 'X-Debug' => 1)->header('X-UX-Debug'), undef,
        'ux_debug: only where it is in force');

    my $browser = $t->browser;
    my @on = ('X-Debug' => 1, 'X-Yes' => 1);
    my $page = $browser->go('/debug/page', @on);
    my $id = $page->header('X-Visitor');
    my $prefix = substr $id, 0, 8;

    like($page->header('X-UX-Debug'),
        qr/^visitor=$prefix, minted; $variants; exposed$/,
        'ux_debug: a newcomer');
    like($browser->go('/debug/page', @on)->header('X-UX-Debug'),
        qr/^visitor=$prefix,\ returned;\ variants=layout=\w+:cached,
            \ banner=\w+:cached;\ exposed$/x, 'ux_debug: back again');
    like($browser->go('/debug/buy?id=o1', @on)->header('X-UX-Debug'),
        qr/; exposed; events=purchase$/, 'ux_debug: an event');
    unlike($browser->go('/debug/buy?id=o1', @on)->header('X-UX-Debug'),
        qr/events=purchase/, 'ux_debug: not one that was not counted');
    unlike($browser->asset('/debug/page', @on)->header('X-UX-Debug'),
        qr/exposed/, 'ux_debug: what is no page exposes nothing');

    my $key = 'somebody@shop.example' . Ux::newcomer();
    my $keyed = debug_of('/debug/page', 'X-User' => $key);
    like($keyed, qr/^visitor=[0-9a-f]{8}, keyed; $variants; exposed$/,
        'ux_debug: a key');

    my $joined = $t->browser;
    $joined->go('/debug/page', @on);
    $joined = $joined->go('/debug/page', @on, 'X-User' => Ux::newcomer());
    my ($first) = ($joined->header('X-Visitor') || '') =~ /^(.{8})/;
    like($joined->header('X-UX-Debug'), qr/^visitor=$first, joined; /,
        'ux_debug: a login that is another name');

    for my $case (
        [ excluded => 'X-Staff' => 1 ],
        [ override => 'X-AB' => 'layout:one_page' ],
        [ no_consent => 'X-Yes' => '' ],
        [ bot => 'User-Agent' => $CRAWLER ],
        [ prefetch => 'Sec-Purpose' => 'prefetch' ],
        [ bad_cookie => Cookie => 'ux=none' ])
    {
        my ($why, @headers) = @$case;
        my $debug = $t->get('/debug/page', @PAGE, 'X-Debug' => 1,
            $why eq 'no_consent' ? () : ('X-Yes' => 1), @headers)
            ->header('X-UX-Debug');
        like($debug, qr/; not=$why$/, "ux_debug: $why");
        ok(($debug =~ /exposed/ xor $why ne 'bad_cookie'),
            "ux_debug: $why: exposed or not");
    }

    like(debug_of('/debug/page', 'X-AB' => 'layout:one_page'),
        qr/variants=layout=one_page:static, banner=/, 'ux_debug: an override');

    my $all = join "\n", map { $_->header('X-UX-Debug') } $page, $joined;
    unlike($all, qr/[0-9a-f]{9}/, 'ux_debug: no full id');
    unlike($keyed, qr/some|shop/, 'ux_debug: no part of a key');

    return;
}


sub reasons_are_told
{
    my %expected = (
        newcomer => [ [], 'layout=split asleep=disabled over=disabled'
            . ' ahead=disabled past=disabled given=default nobody=default'
            . ' aimed=default', 'asleep=a over=a ahead=a past=a given=b'
            . ' nobody= aimed=' ],
        target => [ [ 'X-Aim' => 1 ], 'layout=split asleep=disabled'
            . ' over=disabled ahead=disabled past=disabled given=default'
            . ' nobody=default aimed=targeting_match', 'asleep=a over=a'
            . ' ahead=a past=a given=b nobody= aimed=[ab]' ],
        'no consent' => [ [ 'X-Yes' => '' ], 'layout=default'
            . ' asleep=default over=default ahead=default past=default'
            . ' given=default nobody=default aimed=default', 'asleep=a'
            . ' over=a ahead=a past=a given=[ab] nobody=a aimed=a' ],
        override => [ [ 'X-AB' => 'layout:one_page,asleep:b,over:b,ahead:b,'
            . 'past:b,given:a,nobody:b,aimed:b' ], join(' ', map {
            "$_=static" } qw(layout asleep over ahead past given nobody
            aimed)), 'asleep=b over=b ahead=b past=b given=a nobody=b'
            . ' aimed=b' ],
    );

    for my $name (sort keys %expected) {
        my ($headers, $reasons, $variants) = @{ $expected{$name} };
        my $page = $t->get('/reasons/', @PAGE, 'X-User' => Ux::newcomer(),
            'X-Yes' => 1, @$headers);
        $page = $t->get('/reasons/', @PAGE, 'X-User' => Ux::newcomer())
            if $name eq 'no consent';

        is($page->header('X-Reasons'), $reasons, "reasons: $name");
        like($page->header('X-Variants'), qr/^layout=\w+ $variants$/,
            "reasons: $name: the variants");

        my %told = map { split /=/ } split /, /, $page->header('X-Told');
        my %read = map { my ($e, $v) = split /=/, $_, 2;
            defined $v && $v ne '' ? ($e => $v) : () }
            split / /, $page->header('X-Variants');
        delete $told{banner};
        is_deeply(\%told, \%read,
            "reasons: $name: the application is told the same, and"
            . ' nothing of those who are not enrolled');
    }

    my @user = ('X-User' => Ux::newcomer(), 'X-Yes' => 1, 'X-Aim' => 1);
    my $first = $t->get('/reasons/', @PAGE, @user);
    my $again = $t->get('/reasons/', @PAGE, @user);
    is($again->header('X-Reasons'), 'layout=cached asleep=disabled'
        . ' over=disabled ahead=disabled past=disabled given=default'
        . ' nobody=default aimed=cached', 'reasons: taken from the record');
    is($again->header('X-Variants'), $first->header('X-Variants'),
        'reasons: the variants of the record');
    is($t->get('/reasons/', @PAGE, @user, 'X-Aim' => '')
        ->header('X-Variants'), $first->header('X-Variants'),
        'reasons: whoever is recorded needs no target');

    my $asset = $t->get('/reasons/', Accept => '*/*', 'X-Yes' => 1);
    like($asset->header('X-Reasons'), qr/^layout=default /,
        'reasons: neither key nor cookie: default');
    like($asset->header('X-Variants'), qr/^layout=control /,
        'reasons: neither key nor cookie: the control');

    return;
}


sub first_location_decides
{
    my @user = sub { return ('X-User' => Ux::newcomer()) };
    my $case = sub {
        my ($name, $path, $expected, @headers) = @_;
        is($t->changes(sub {
            is($t->navigate($path, 'X-User' => Ux::newcomer(), @headers)
                ->status, 200, "$name: served");
        }), $expected, $name);
    };

    $case->('the first with ux_expose: its consent is asked for',
        '/first/consent/', 'discarded.no_consent 1');
    $case->('the first with ux_expose: its consent is enough',
        '/first/consent/', 'visitors 1', 'X-First' => 1);
    $case->('the first with ux_expose: it excludes', '/first/exclude/',
        'discarded.excluded 1', 'X-Staff' => 1);
    $case->('the first with ux_expose: nobody else excludes',
        '/first/exclude/', 'visitors 1', 'X-Guest' => 1);
    $case->('the first with ux_expose: it overrides', '/first/override/',
        'discarded.override 1', 'X-AB' => 'layout:one_page');
    $case->('the first with ux_expose: nobody else overrides',
        '/first/override/', 'visitors 1', 'X-Other' => 'layout:one_page');
    $case->('the first with ux_expose, before try_files: it excludes',
        '/first/try/', 'discarded.excluded 1', 'X-Staff' => 1);
    $case->('the first with ux_expose, before try_files: nobody else does',
        '/first/try/', 'visitors 1', 'X-Guest' => 1);
    $case->('ux_expose off is the first: nothing is exposed',
        '/first/off/', '', 'X-Second' => 1);
    $case->('a location without ux_expose decides nothing: it excludes'
        . ' nobody', '/first/none/', 'visitors 1', 'X-Staff' => 1,
        'X-Second' => 1);
    $case->('a location without ux_expose decides nothing: the next asks'
        . ' for consent', '/first/none/', 'discarded.no_consent 1',
        'X-First' => 1);
    $case->('a location without ux_expose decides nothing: the next excludes',
        '/first/none/', 'discarded.excluded 1', 'X-Second' => 1,
        'X-Guest' => 1);

    return;
}
