package BenchRows;

# Copyright (C) the nginx-ux authors
#
# Rows of instructions a request: what nginx's own directives and Lua take for
# the job or a part of it, and what we take.

use strict;
use warnings;

use UxCostShop;

my $NAME = 'ux=';


# Everything above bare nginx, by name: { 'split / proxied' => 1755, ... }, and
# the bare requests themselves: 'bare / proxied'.  $say is told of progress.
sub measure
{
    my ($say) = @_;

    my $app = Ux::CostShop::app()->start;
    my $self = { app => '127.0.0.1:' . $app->port, say => $say, row => {} };

    alternatives($self);
    ours($self);
    experiments($self);
    visitors($self);

    return $self->{row};
}


# Pages of three kinds; ours in the locations where it does all.
sub pages
{
    my ($self, $server, $name, %option) = @_;

    my $cookie = $NAME . Ux::CostShop::cookie(1);
    $cookie = $option{cookie} if exists $option{cookie};

    for my $kind ([ static => $option{static} || '/s/page.html' ],
        [ return => '/r' ], [ proxied => '/p' ])
    {
        my ($what, $path) = @$kind;

        next if $option{only} && $option{only} ne $what;
        note($self, "$name / $what", $what, $server->instructions(
            Ux::CostShop::page($path, $cookie), warm => $option{warm}));
    }

    return;
}


# Keeps what is above bare.
sub note
{
    my ($self, $name, $kind, $instructions) = @_;

    my $bare = $self->{row}{"bare / $kind"};

    $instructions -= $bare if defined $bare;
    $self->{row}{$name} = 0 + $instructions;
    $self->{say}->(sprintf '%-44s %8d', $name, $instructions);

    return;
}


sub server
{
    my ($self, $kind, %option) = @_;

    return Ux::CostShop::start($kind, app => $self->{app}, %option);
}


sub alternatives
{
    my ($self) = @_;

    my $cookie = $NAME . Ux::CostShop::cookie(1);
    my $t = server($self, 'bare');

    pages($self, $t, 'bare');
    note($self, 'bare / asset', 'none', $t->instructions(
        Ux::CostShop::asset('/s/style.css', $cookie)));
    note($self, 'bare / body', 'none', $t->instructions(
        Ux::CostShop::beacon('/d', $cookie)));
    $t->end;

    $t = server($self, 'split');
    pages($self, $t, 'split');
    $t->end;

    $t = server($self, 'split', experiments => 9);
    pages($self, $t, 'split, 9 experiments', only => 'proxied');
    $t->end;
    $self->{row}{'split, each further'} = ($self->{row}{
        'split, 9 experiments / proxied'} - $self->{row}{'split / proxied'})
        / 8;

    $t = server($self, 'userid');
    pages($self, $t, 'userid issuing', cookie => undef);
    my ($uid) = $t->send(Ux::CostShop::page('/p')) =~ /(ux=[^;]+)/;
    pages($self, $t, 'userid seen', cookie => $uid);
    $t->end;

    for my $kind (qw/ log limit auth /) {
        $t = server($self, $kind);
        pages($self, $t, $kind);
        $t->end;
    }

    for my $kind (Ux::CostShop::has_lua() ? qw/ lua_lean lua_visitor / : ()) {
        $t = server($self, $kind);
        pages($self, $t, $kind, warm => 1000);
        $t->end;
    }
    $self->{say}->('no Lua module: without its rows')
        if !Ux::CostShop::has_lua();

    return;
}


sub ours
{
    my ($self) = @_;

    my $cookie = $NAME . Ux::CostShop::cookie(1);
    my $t = server($self, 'loaded');

    pages($self, $t, 'not active');
    $t->end;

    $t = server($self, 'ours');
    $t->send(Ux::CostShop::page('/p', $cookie));
    note($self, 'asset', 'asset', $t->instructions(
        Ux::CostShop::asset('/s/style.css', $cookie)));
    pages($self, $t, 'known', static => '/x/page.html');

    my $buyer = $NAME . Ux::CostShop::cookie(2);
    $t->send(Ux::CostShop::page('/p', $buyer));
    note($self, 'event', 'proxied', $t->instructions(
        Ux::CostShop::page('/e', $buyer)));
    pages($self, $t, 'known, with a cart', static => '/x/page.html',
        cookie => $buyer);
    pages($self, $t, 'new', static => '/x/page.html', cookie => undef);
    note($self, 'beacon', 'none', $t->instructions(
        Ux::CostShop::beacon('/b', $buyer)));
    $t->end;

    return;
}


sub experiments
{
    my ($self) = @_;

    my $cookie = $NAME . Ux::CostShop::cookie(1);

    for my $n (2, 4, 8, 16) {
        my $t = server($self, 'ours', experiments => $n);
        $t->send(Ux::CostShop::page('/p', $cookie), 2);
        pages($self, $t, "known, $n experiments", only => 'proxied');
        $t->end;
    }
    $self->{row}{'each further'} = ($self->{row}{
        'known, 16 experiments / proxied'} - $self->{row}{'known / proxied'})
        / 15;

    return;
}


# Visitors that come one after the other, each with a record.
sub visitors
{
    my ($self) = @_;

    my $t = server($self, 'ours');
    my $made = 0;

    for my $n (100, 1000, 10000, 20000) {
        my @page = map { Ux::CostShop::page('/p',
            $NAME . Ux::CostShop::cookie($_)) } 1 .. $n;

        # of a session's pages the first two say more than that it goes on
        for ( ; $made < $n; $made++) {
            $t->send($page[$made]) for 1 .. 4;
        }

        note($self, "known, of $n visitors", 'proxied',
            $t->instructions(sub { $page[$_[0] * 7919 % $n] }));
    }

    my $path = '/uxstats/api/1/zones/shop/experiments';
    my @few = (warm => 2, short => 2, long => 12);
    note($self, 'JSON, 20000 visitors', 'none',
        $t->instructions(Ux::CostShop::page($path), @few));
    $t->end;

    $t = server($self, 'ours');
    $t->send(sub { Ux::CostShop::page('/p', $NAME
        . Ux::CostShop::cookie($_[0])) }, 100);
    note($self, 'JSON, 100 visitors', 'none',
        $t->instructions(Ux::CostShop::page($path), @few));
    $t->end;

    return;
}


1;
