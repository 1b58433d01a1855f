package UxPageShop;

# Copyright (C) the nginx-ux authors
#
# A shop whose /uxstats has something to see, for browsers:
#
#     my $shop = UxPageShop->new;       # nginx, and VISITORS of it
#     $shop->visit('x1');               # one more, who buys
#     my $page = $shop->page(history => 'window.history...');
#
# Visitors are named by an argument and so confirmed at once.

use strict;
use warnings;

use JSON::PP ();
use UxChrome;
use UxShopper;
use UxTest;

use constant VISITORS => 300;

my $json = JSON::PP->new->canonical;


# Of the layout: lines that another configuration has.
sub conf
{
    my ($more) = @_;

    return <<"CONF";
keepalive_requests 100000;
ux_zone shop 8m;
ux_visitor_key \$arg_v;

ux_segment device \$arg_d phone desktop;
ux_stage browse view_item;
ux_stage checkout add_to_cart purchase;
ux_stage support ask;

ux_experiment layout {
    variant control 1;
    variant one_page 1;
    goal purchase;
    metric add_to_cart;
    metric revenue;
    guardrail ask better=lower;
    $more
}
ux_experiment banner {
    variant none 5;
    variant blue 3;
    variant green 1;
    goal add_to_cart;
}
ux_funnel checkout {
    step view_item optional;
    step add_to_cart;
    step purchase;
    cart add_to_cart within=60m;
}

server {
    listen 127.0.0.1:%%PORT%%;
    ux_expose all;

    location / { return 204; }
    location = /view_item { ux_event view_item; return 204; }
    location = /add_to_cart { ux_event add_to_cart; return 204; }
    location = /purchase {
        ux_event purchase value=\$arg_value id=\$arg_id;
        return 204;
    }
    location = /ask { ux_event ask; return 204; }
    location /uxstats { ux_stats; }
}
CONF
}


sub new
{
    my ($class) = @_;

    my $nginx = Ux::nginx(conf => conf(''))->start;
    my $self = bless { nginx => $nginx,
        site => 'http://127.0.0.1:' . $nginx->port }, $class;
    my @paths;

    for my $i (1 .. VISITORS) {
        push @paths, paths("v$i", 0.3);
    }

    UxShopper::visit($nginx->port, \@paths);

    return $self;
}


sub nginx { return $_[0]{nginx} }
sub site  { return $_[0]{site} }


# What somebody asks for; each step is taken by that share.
sub paths
{
    my ($name, $share) = @_;

    my $who = "v=$name&d="
        . (UxShopper::chance('device', $name) < 0.6 ? 'phone' : 'desktop');
    my @paths = ("/?$who");

    for my $step (qw(view_item add_to_cart purchase ask)) {
        push @paths, "/$step?$who&value=9.50&id=o-$name"
            if UxShopper::chance($step, $name) < $share;
    }

    return @paths;
}


sub visit
{
    my ($self, $name) = @_;

    UxShopper::visit($self->{nginx}->port, [ paths($name, 1) ]);

    return;
}


sub experiments
{
    my ($self) = @_;

    return $self->{nginx}->stats('/zones/shop')->{experiments};
}


# A visitor of the browser's that listens; script: run before the page's own.
sub page
{
    my ($self, $chrome, $script) = @_;

    my $page = $chrome->visitor;

    $page->look;
    $page->listen;
    $page->call('Page.addScriptToEvaluateOnNewDocument',
        { source => $script }) if defined $script;

    return $page;
}


# A script that answers for the history: hours and days of the layout, whose
# values grow by hundredths and whose intervals narrow.
sub history
{
    my ($self, $hours) = @_;

    my $now = int(time / 3600) * 3600;
    my @at = map { $now - 3600 * ($hours - $_) } 1 .. $hours;
    my %metrics = map { $_ => {
        value => [ map { 0.2 + $_ / 100 } 1 .. $hours ],
        low => [ map { 0.2 + $_ / 100 - 0.1 / $_ } 1 .. $hours ],
        high => [ map { 0.2 + $_ / 100 + 0.1 / $_ } 1 .. $hours ],
        lift => [ map { 0.05 } 1 .. $hours ],
        lift_low => [ map { 0.05 - 0.5 / $_ } 1 .. $hours ],
        lift_high => [ map { 0.05 + 0.5 / $_ } 1 .. $hours ] }
    } qw(purchase add_to_cart revenue ask);
    my @rings = map { { interval_seconds => $_, at => \@at,
        epoch => [ map { 1 } @at ], variants => { map { $_ => {
            visitors => [ 1 .. $hours ], metrics => \%metrics } }
            qw(control one_page none blue green) } } } 3600, 86400;
    my $answer = $json->encode({ version => 1, zone => 'shop',
        experiment => 'layout', goal => 'purchase', rings => \@rings });

    return 'const real = window.fetch; window.fetch = (what, ...more) =>'
        . ' String(what).includes("/history/")'
        . " ? Promise.resolve(new Response(JSON.stringify($answer)))"
        . ' : real(what, ...more);';
}


1;
