#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# The page of /uxstats in Chromium: every experiment, kept up to date in place,
# sorted and unfolded by keyboard alone, charts of the history; without script
# the same numbers, without the libraries all but charts.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;
use UxChrome;
use UxPageShop;
use UxTest;

use constant { HOURS => 30, TABS => 400 };

my $why = UxChrome::missing();

plan skip_all => $why if defined $why;

my $json = JSON::PP->new->allow_nonref->canonical;
my $shop = UxPageShop->new;
my $site = $shop->site;
my $host = $site =~ s{^http://}{}r;
my $chrome = UxChrome->new;
my $drawn = $shop->nginx->get(($shop->nginx->get('/uxstats', 'Accept',
    'text/html')->body =~ m{src="([^"]+\.js)"})[0])->body =~ /var uPlot/;
my $writing = <<'JS';                # what a canvas was given to write
const put = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {
    (this.canvas.written ||= new Set()).add(text);
    return put.call(this, text, ...more);
};
JS
my $page = $shop->page($chrome, $shop->history(HOURS) . $writing);
my $new = 0;

$page->go("$site/uxstats");
everything();
SKIP: { skip 'built without npm: no charts', 1 if !$drawn; charts() }
sorts();
unfolds();
stays();
pauses();
is_deeply([ $page->complaints ], [], 'no error, and nothing barred');
is_deeply([ $page->hosts ], [ $host ], 'nobody else is asked');
goes_stale();
jumps();
drills_down();
SKIP: { skip 'built without npm: no charts', 1 if !$drawn; own_history() }
announces();
without_script();
without_libraries();

undef $chrome;
$shop->nginx->no_alerts;

done_testing();


sub text
{
    my ($visitor, $selector) = @_;

    return $visitor->run('[...document.querySelectorAll('
        . $json->encode($selector) . ')].map(e => e.textContent.trim())');
}


# Visitors of each variant of an experiment, as the page has it.
sub visitors
{
    my ($visitor, $name) = @_;

    return $visitor->run(<<"JS");
(() => {
    const table = document.querySelector(
        "#experiment-shop-$name table.variants");
    const heads = [...table.tHead.rows[0].cells].map(e =>
        e.textContent.trim());
    return [...table.tBodies[0].rows].map(row => [
        row.cells[0].textContent.split(" ")[0],
        +row.cells[heads.indexOf("Visitors")].textContent.replace(/,/g, "")]);
})()
JS
}


sub counted
{
    my ($name) = @_;

    my $variants = $shop->experiments->{$name}{variants};

    return map { $_ => $variants->{$_}{visitors} } keys %$variants;
}


sub everything
{
    my $experiments = $shop->experiments;

    is_deeply([ sort @{ text($page, 'article h3') } ],
        [ sort keys %$experiments ], 'every experiment');
    is_deeply([ sort @{ text($page, 'nav a') } ],
        [ sort keys %$experiments ], 'every experiment in the list');
    is_deeply($page->run('[...document.querySelectorAll("article")].map(e =>'
        . ' e.dataset.verdict).sort()'),
        [ sort map { $_->{verdict} } values %$experiments ], 'verdicts');
    is(scalar(grep { length } @{ text($page, 'article > .badge') }),
        3 * keys %$experiments, 'badges in words');

    for my $name (sort keys %$experiments) {
        is_deeply({ map { @$_ } @{ visitors($page, $name) } },
            { counted($name) }, "$name: visitors");
    }

    return;
}


sub charts
{
    my $chart = '#experiment-shop-layout-rate-purchase';
    my $lift = '#experiment-shop-layout-lift-purchase';

    ok(wait_for($page, "document.querySelector('$chart canvas') &&"
        . " document.querySelector('$lift canvas')"), 'charts are drawn');
    is($page->run("document.querySelectorAll('.chart[hidden]').length"), 0,
        'each is shown');
    like($page->run("document.querySelector('$chart .plot').ariaLabel"),
        qr/^Rate of purchase, from \S+ \S+ to .* control [\d.]+ % \(/,
        'a chart says in words what it shows');

    # newest first: what is known now, then the hours

    my $rows = text($page, "$chart tbody tr:nth-child(2) td");
    my $value = sprintf '%.1f %%', 100 * (0.2 + HOURS / 100);
    my @ends = map { sprintf '%.1f %%', 100 * (0.2 + HOURS / 100 + $_) }
        -0.1 / HOURS, 0.1 / HOURS;

    is_deeply($rows, [ ("$value $ends[0] to $ends[1]") x 2 ],
        'its figures are those of the history');
    is($page->run("document.querySelectorAll('$chart tbody tr').length"),
        HOURS + 1, 'all of them, and what is known now');
    is_deeply(text($page, "$lift tbody tr:nth-child(2) td"),
        [ sprintf '+5.00 %% +%.2f %% to +%.2f %%', 100 * (0.05 - 0.5 / HOURS),
        100 * (0.05 + 0.5 / HOURS) ], 'lift, likewise');

    # an axis is marked by what its marks are: all are as far apart

    for my $axis ($chart, $lift) {
        my @marks = sort { $a <=> $b } map { /^(\S+) %$/ ? $1 : () }
            map { s/\x{2212}/-/r } @{ $page->run(
                "[...document.querySelector('$axis canvas').written]") };
        my %apart = map { sprintf('%.4f', $marks[$_] - $marks[$_ - 1]) => 1 }
            1 .. $#marks;
        is(keys %apart, 1, "$axis: marks, @marks");
    }
    is_deeply([ map { text($page, "$_ .note")->[0] } $chart, $lift ],
        [ 'Shaded: 95 % at one look.',
          'Shaded: the interval that holds whenever you look.' ],
        'which interval is shaded');

    # painted, in more than one colour

    cmp_ok($page->run("(() => { const c = document.querySelector('$chart"
        . " canvas'); const d = c.getContext('2d').getImageData(0, 0, c.width,"
        . " c.height).data; const s = new Set(); for (let i = 0; i <"
        . " d.length; i += 4) s.add(d.slice(i, i + 4).join()); return s.size"
        . ' })()'), '>', 5, 'and something is painted');

    return;
}


sub wait_for
{
    my ($visitor, $condition) = @_;

    return Ux::wait_until(sub { $visitor->run("!!($condition)") }, 30);
}


# By Tab alone, from where the focus is; false if it is nowhere.
sub tab_to
{
    my ($visitor, $condition) = @_;

    for (1 .. TABS) {
        $visitor->key('Tab');
        return 1 if $visitor->run("(e => !!($condition))"
            . '(document.activeElement)');
    }

    return 0;
}


sub in_table
{
    my ($name, $table) = @_;

    return "e.closest('#experiment-shop-$name table.$table')";
}


sub sorts
{
    my %count = counted('banner');
    my @falling = sort { $count{$b} <=> $count{$a} } keys %count;
    my $order = sub {
        return [ map { $_->[0] } @{ visitors($page, 'banner') } ] };
    my $state = sub {
        return $page->run('document.activeElement.closest("th").ariaSort') };
    my $first = $order->();

    ok(tab_to($page, in_table('banner', 'variants')
        . ' && e.textContent == "Visitors"'), 'Tab leads to a heading');
    is($state->(), 'none', 'not sorted by it');
    is($page->run('[...document.querySelectorAll("table[data-sortable] th'
        . '[scope=col]")].filter(e => e.textContent.endsWith(", drawn") &&'
        . ' e.querySelector("button")).length'), 0, 'drawings are no order');
    $page->key('Enter');
    is_deeply($order->(), \@falling, 'Enter: most first');
    is($state->(), 'descending', 'and says so');
    $page->key('Space');
    is_deeply($order->(), [ reverse @falling ], 'Space: fewest first');
    is($state->(), 'ascending', 'and says so, too');
    $page->key('Enter');
    is_deeply($order->(), $first, 'and as it was');
    $page->key('Enter');
    $page->key('Enter');
    is($page->run('document.activeElement.textContent'), 'Visitors',
        'the focus stays');

    # by numbers and not by what is printed; what has none is last

    my %variants = %{ $shop->experiments->{banner}{variants} };
    my %lift = map { $_ => ($variants{$_}{metrics}{add_to_cart}{vs_control}
        || {})->{lift} } keys %variants;
    my @rising = sort { $lift{$a} <=> $lift{$b} }
        grep { defined $lift{$_} } keys %lift;

    ok(tab_to($page, in_table('banner', 'variants')
        . ' && e.textContent == "Lift"'), 'lift');
    $page->key('Enter');
    is_deeply($order->(), [ (reverse @rising), 'none' ], 'most first');
    $page->key('Enter');
    is_deeply($order->(), [ @rising, 'none' ], 'fewest first');

    # words as words

    $page->key('Tab', 1) for 1 .. 20;
    ok(tab_to($page, in_table('banner', 'variants')
        . ' && e.textContent == "Variant"'), 'the first column');
    $page->key('Enter');
    is_deeply($order->(), [ sort keys %count ], 'names from the first on');
    ok(tab_to($page, in_table('banner', 'variants')
        . ' && e.textContent == "Visitors"'), 'back again');
    $page->key('Enter');
    $page->key('Enter');
    is_deeply($order->(), [ reverse @falling ], 'fewest first');

    return;
}


sub unfolds
{
    my $funnel = 'document.querySelector('
        . '"#experiment-shop-banner-funnel-checkout")';

    ok(!$page->run("$funnel.open"), 'a funnel is folded');
    ok(tab_to($page, 'e.parentElement == ' . $funnel), 'Tab leads to it');
    $page->key('Enter');
    ok($page->run("$funnel.open"), 'Enter unfolds it');
    ok(tab_to($page, "e.classList.contains('region') &&"
        . " $funnel.contains(e)"), 'and Tab leads into its table');

    return;
}


# One more visitor is seen; what the reader has done stays.
sub stays
{
    $page->run('window.marker = 1; window.kept = document.activeElement;'
        . ' window.canvas = document.querySelector("canvas");'
        . ' const said = document.querySelector('
        . ' "#experiment-shop-banner h3");'
        . ' getSelection().selectAllChildren(said);'
        . ' scrollTo(0, 400); 1');

    my $at = $page->run('scrollY');

    more('updated by itself');
    is($page->run('window.marker'), 1, 'the page is the same one');
    ok($page->run('window.kept == document.activeElement'
        . ' && window.kept.isConnected'), 'the focus stays');
    ok($page->run('!window.canvas || window.canvas.isConnected'),
        'a chart stays') if $drawn;
    is($page->run('getSelection().toString()'), 'banner',
        'the selection stays');
    is($page->run('scrollY'), $at, 'the place stays');
    ok($page->run('document.querySelector('
        . '"#experiment-shop-banner-funnel-checkout").open'),
        'what was unfolded stays');

    my @sizes = map { $_->[1] } @{ visitors($page, 'banner') };
    is_deeply(\@sizes, [ sort { $a <=> $b } @sizes ], 'the order stays');
    like(text($page, '#state')->[0], qr/^Live, updated \d\d:\d\d:\d\d$/,
        'it says when');

    return;
}


# Somebody comes, and the page shows it.
sub more
{
    my ($what) = @_;

    $shop->visit('new' . ++$new);
    ok(shown($page), $what);

    return;
}


sub shown
{
    my ($visitor) = @_;

    my %count = counted('banner');

    return Ux::wait_until(sub {
        my %shown = map { @$_ } @{ visitors($visitor, 'banner') };
        return $json->encode(\%shown) eq $json->encode(\%count);
    }, 30);
}


# An update now, as when somebody comes back to the tab.
sub look_again
{
    my ($visitor) = @_;

    $visitor->run('document.dispatchEvent(new Event("visibilitychange"))');

    return;
}


sub pauses
{
    my $before = visitors($page, 'banner');

    $page->run('document.getElementById("pause").focus()');
    $page->key('Enter');
    like(text($page, '#state')->[0], qr/^Paused, as of /, 'paused');
    is(text($page, '#pause')->[0], 'Resume updates', 'and how to go on');
    $shop->visit('new' . ++$new);
    look_again($page);

    # would have been there before these

    $page->run('fetch("/uxstats").then(() => fetch("/uxstats",'
        . ' {headers: {Accept: "text/html"}})).then(a => a.text())');
    is_deeply(visitors($page, 'banner'), $before, 'nothing moves');
    $page->key('Enter');
    ok(shown($page), 'goes on, and has all of it');

    return;
}


sub offline
{
    my ($visitor, $offline) = @_;

    $visitor->call('Network.emulateNetworkConditions', { latency => 0,
        offline => $offline ? JSON::PP::true() : JSON::PP::false(),
        downloadThroughput => -1, uploadThroughput => -1 });

    return;
}


sub goes_stale
{
    offline($page, 1);
    look_again($page);
    ok(wait_for($page, 'document.querySelector("#state.stale")'),
        'says that it is stale');
    like(text($page, '#state')->[0],
        qr/^Stale: no update since \d\d:\d\d:\d\d, next try in \d+ s$/,
        'since when, and until when');
    offline($page, 0);
    look_again($page);
    ok(wait_for($page, '!document.querySelector("#state.stale")'),
        'and that it is not');

    # asked, and never answered

    $page->run(<<'JS');
AbortSignal.timeout = () => {
    const left = new AbortController();
    setTimeout(() => left.abort(), 50);
    return left.signal;
};
window.answers = window.fetch;
window.fetch = (what, how) => new Promise((done, failed) => how.signal
    && how.signal.addEventListener("abort", failed));
JS
    look_again($page);
    ok(wait_for($page, 'document.querySelector("#state.stale")'),
        'an answer that does not come is none');
    $page->run('window.fetch = window.answers; 0');
    look_again($page);
    ok(wait_for($page, '!document.querySelector("#state.stale")'),
        'the next one is');

    return;
}


# What is jumped to is not below the head of the page, which stays.
sub jumps
{
    my $visitor = $shop->page($chrome);

    for my $width (375, 700, 1024) {
        $visitor->look(width => $width);
        $visitor->go("$site/uxstats");
        my ($head, $name) = @{ $visitor->run(<<'JS') };
(() => {
    location.hash = "#experiment-shop-banner";
    const box = selector =>
        document.querySelector(selector).getBoundingClientRect();
    return [box("header").bottom, box("#experiment-shop-banner-name").top];
})()
JS
        cmp_ok($name, '>=', $head, "$width wide: a name is not hidden");
    }

    return;
}


sub drills_down
{
    my $visitor = $shop->page($chrome, $shop->history(HOURS));

    $visitor->go("$site/uxstats");
    ok(tab_to($visitor, "e.id == 'experiment-shop-layout-alone'"),
        'Tab leads to a link');
    $visitor->key('Enter');
    $visitor->loaded;
    is($visitor->run('location.pathname'),
        '/uxstats/experiment/shop/layout', 'Enter follows it');
    ok(tab_to($visitor, 'e.parentElement.id =='
        . ' "experiment-shop-layout-segments-device"'), 'Tab: a segment');
    $visitor->key('Enter');

    my %sum;
    my $variants = $shop->experiments->{layout}{variants};
    my $rows = text($visitor, '#experiment-shop-layout-segments-device'
        . ' .region:first-of-type tbody tr > :nth-child(-n + 2)');

    # a heading of each value, then name and visitors of each variant

    while (@$rows) {
        my $first = shift @$rows;
        next if !$variants->{$first};
        $sum{$first} += shift @$rows;
    }

    is_deeply(\%sum, { map { $_ => $variants->{$_}{visitors} }
        keys %$variants }, 'values of the segment add up');
    is_deeply([ $visitor->complaints ], [], 'no error there');

    return;
}


# What nginx says of the history: so soon it is no more than what is known now.
sub own_history
{
    my $visitor = $shop->page($chrome, $writing);
    my $chart = '#experiment-shop-layout-rate-purchase';
    my $rate = $shop->experiments->{layout}{variants}{control}{metrics}
        {purchase}{rate};

    $visitor->go("$site/uxstats");
    ok(wait_for($visitor, "document.querySelector('$chart canvas')"),
        'its own history: drawn');
    like(text($visitor, "$chart tbody tr:first-child td:nth-child(2)")->[0],
        qr/^\Q${\ sprintf '%.1f', 100 * $rate} %\E /,
        'its own history: the rate of now is the first');

    my @hours = sort grep { /^\d\d:\d\d$/ } @{ $visitor->run(
        "[...document.querySelector('$chart canvas').written]") };
    cmp_ok(scalar @hours, '>', 2, "its own history: a day around it, @hours");
    is_deeply([ $visitor->complaints ], [], 'its own history: no error');

    return;
}


# The shop ends the experiment: who only hears the page hears it.
sub announces
{
    is(text($page, '#said')->[0], '', 'nothing was announced');
    ok($shop->nginx->reload(
        conf => UxPageShop::conf('stop 2026-01-01T00:00:00Z;')), 'stopped');
    look_again($page);
    ok(wait_for($page, 'document.getElementById("said").textContent'),
        'something is announced');

    my $badge = text($page, '#experiment-shop-layout-verdict')->[0];

    is(text($page, '#said')->[0], "layout: $badge", 'the new verdict');
    is($page->run('document.getElementById("said").role'), 'status',
        'politely');

    return;
}


sub cells
{
    my ($visitor) = @_;

    return $visitor->run('[...document.querySelectorAll("article td")]'
        . '.filter(e => !e.closest(".chart")).map(e => e.textContent)');
}


sub without_script
{
    my $visitor = $shop->page($chrome);

    $visitor->call('Emulation.setScriptExecutionDisabled',
        { value => JSON::PP::true() });
    $visitor->go("$site/uxstats");
    is($visitor->run('document.querySelectorAll("#pause, .sort, canvas")'
        . '.length'), 0, 'without script: no script');

    for my $name (sort keys %{ $shop->experiments }) {
        is_deeply({ map { @$_ } @{ visitors($visitor, $name) } },
            { counted($name) }, "without script: $name: visitors");
    }

    my $other = $shop->page($chrome, $shop->history(HOURS));
    $other->go("$site/uxstats");

    my ($with, $without) = map { join "\n", grep { !/\d (?:s|min|h|d)\b/ }
        @{ cells($_) } } $other, $visitor;

    cmp_ok(length $without, '>', 1000, 'without script: figures');
    is($without, $with, 'without script: the same figures');
    is_deeply([ $visitor->complaints ], [], 'without script: no error');

    return;
}


# What npm brings is not there.
sub without_libraries
{
    my $visitor = $shop->page($chrome, join '', map {
        "Object.defineProperty(window, '$_', { value: undefined });" }
        qw(uPlot Idiomorph));

    $visitor->go("$site/uxstats");
    is($visitor->run('document.querySelectorAll(".chart:not([hidden])")'
        . '.length'), 0, 'without libraries: no charts');
    $visitor->run('document.querySelector("#experiment-shop-banner'
        . ' thead th:nth-child(4) button").click();'
        . ' document.getElementById("experiment-shop-banner-http").open'
        . ' = true');

    my $order = [ map { $_->[0] } @{ visitors($visitor, 'banner') } ];

    $shop->visit('new' . ++$new);
    look_again($visitor);
    ok(shown($visitor), 'without libraries: updated');
    is_deeply([ map { $_->[0] } @{ visitors($visitor, 'banner') } ], $order,
        'without libraries: the order stays');
    ok($visitor->run(
        'document.getElementById("experiment-shop-banner-http").open'),
        'without libraries: what was unfolded stays');
    is_deeply([ $visitor->complaints ], [], 'without libraries: no error');

    return;
}
