#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What axe-core finds on the page, in light and dark, wide and narrow, with
# everything unfolded; and that a narrow window need not be scrolled sideways.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Basename ();
use Test::More;
use UxChrome;
use UxPageShop;
use UxTest;

my $axe = File::Basename::dirname(Ux::module()) . '/axe.js';
my $why = UxChrome::missing();

plan skip_all => $why if defined $why;
plan skip_all => "no $axe: make axe-core (needs npm)" if !-f $axe;

my $shop = UxPageShop->new;
my $chrome = UxChrome->new;
my $source = Ux::_read($axe);

looked_at('/uxstats', width => 1280);
looked_at('/uxstats', width => 1920, scheme => 'dark');
looked_at('/uxstats/experiment/shop/layout', width => 375, still => 1);
finds();

undef $chrome;
$shop->nginx->no_alerts;

done_testing();


sub looked_at
{
    my ($path, %look) = @_;

    my $page = opened($path, %look);
    my $what = join ', ', $path, map { "$_ $look{$_}" } sort keys %look;

    is_deeply(violations($page), [], "$what: no violation");
    is($page->run('document.documentElement.scrollWidth'),
        $page->run('document.documentElement.clientWidth'),
        "$what: nothing beside the window");

    return;
}


# Loaded, and all that unfolds unfolded.
sub opened
{
    my ($path, %look) = @_;

    my $page = $shop->page($chrome, $shop->history(6));

    $page->look(%look);
    $page->go($shop->site . $path);
    $page->run('for (const e of document.querySelectorAll("details"))'
        . ' e.open = true; document.getElementById("pause").click()');
    Ux::wait_until(sub { $page->run('!document.querySelector('
        . '".chart:not([hidden])") || !!document.querySelector("canvas")') });
    $page->run("$source; 1");

    return $page;
}


sub violations
{
    my ($page, $options) = @_;

    $options ||= 'rules: { "target-size": { enabled: true } }';

    return $page->run('axe.run(document, { resultTypes: ["violations"],'
        . " iframes: false, $options })"
        . '.then(found => found.violations.map(v => v.id + ": "'
        . ' + v.nodes.length + " of " + v.nodes[0].html))');
}


# It does find something.
sub finds
{
    my $page = opened('/uxstats', width => 1280);

    $page->run('document.querySelector("thead button").textContent = "";'
        . ' document.querySelector("#pause").style.color = "#ccc"');
    my $found = join "\n", @{ violations($page,
        'runOnly: ["button-name", "color-contrast"]') };

    like($found, qr/^button-name: /m, 'a button without a name is found');
    like($found, qr/^color-contrast: /m, 'and too little contrast');

    return;
}
