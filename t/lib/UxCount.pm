package UxCount;

# Copyright (C) the nginx-ux authors
#
# What some requests changed in /uxstats:
#
#     is($t->changes(sub { $t->get('/') }), 'visitors 1', 'counted');
#
# One line of "name n, name n" in order of names: events, discarded,
# purchases_without_id and the like of each zone, and of the variants of all
# its experiments together assigned (only where it is not visitors as well)
# and visitors.  Names of other zones than "shop" are preceded by the zone's.

use strict;
use warnings;


package Ux;


my $users = 0;

# A name nobody has had before.
sub newcomer { return 'u' . ++$users }


package Ux::Nginx;

use Test::More ();


# GET as a browser that opens a page, but without a cookie jar.
sub navigate
{
    my ($self, $path, @headers) = @_;

    return $self->get($path, Accept => 'text/html', @headers);
}


# One request of a newcomer (X-User): what it changed, its status ('none':
# no answer).  Options: headers; send, a sub (user) to be used instead; told,
# the number of requests that reach the upstream APP, each of which has to
# carry what the answer's X-Told says, in one X-UX-Variant.
sub one_request
{
    my ($self, $name, $path, $status, $expected, %option) = @_;

    my ($response, $user) = (undef, Ux::newcomer());
    my @headers = ('X-User' => $user, @{ $option{headers} || [] });

    $self->backend('APP')->clear;

    Test::More::is($self->changes(sub {
        $response = $option{send} ? $option{send}->($user)
            : $self->navigate($path, @headers);
    }), $expected, "$name: what is counted");
    Test::More::is($response ? $response->status : 'none', $status,
        "$name: answered");

    if ($option{told}) {
        my $told = $response ? $response->header('X-Told') : undef;
        my @requests = $self->backend('APP')->requests;
        Test::More::like($told, qr/^\w+=\w+$/, "$name: a variant");
        Test::More::is_deeply([ map { [ $_->values('X-UX-Variant') ] }
            @requests ], [ map { [ $told ] } 1 .. $option{told} ],
            "$name: every upstream request says it, once");
    }

    return $response;
}


sub changes
{
    my ($self, $work) = @_;

    my $before = $self->_numbers;
    $work->();
    my $after = $self->_numbers;

    my %changed = map { $_ => $after->{$_} - ($before->{$_} || 0) }
        keys %$after;
    for my $name (grep { /assigned$/ } keys %changed) {
        delete $changed{$name}
            if $changed{$name} == $changed{$name =~ s/assigned$/visitors/r};
    }

    return join ', ', map { "$_ $changed{$_}" }
        grep { $changed{$_} } sort keys %changed;
}


sub _numbers
{
    my ($self) = @_;

    my $zones = $self->stats('/')->{zones};
    my %n;

    for my $zone (keys %$zones) {
        my $z = $zones->{$zone};
        my $prefix = $zone eq 'shop' ? '' : "$zone.";

        for my $group ('events', 'discarded', 'other_currencies') {
            $n{"$prefix$group.$_"} = $z->{$group}{$_}
                for grep { !ref $z->{$group}{$_} } keys %{ $z->{$group} };
        }
        $n{"$prefix$_"} = $z->{$_} for 'purchases_without_id';

        for my $variant (map { values %{ $_->{variants} } }
            values %{ $z->{experiments} })
        {
            $n{"$prefix$_"} += $variant->{$_} for 'assigned', 'visitors';
        }
    }

    return \%n;
}


1;
