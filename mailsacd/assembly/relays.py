"""The ways out: connections to other hosts' SMTP ports."""

from mailsacd import __version__
from mailsacd.assembly.part import Ground
from mailsacd.core.dns import Dns
from mailsacd.mail.ownership.domain_rules import rules_of
from mailsacd.outbound.guard import Guard
from mailsacd.outbound.smtp.dialler import Dialler, tls_contexts
from mailsacd.outbound.smtp.policy_fetch import PolicyFetcher
from mailsacd.outbound.smtp.relays import Relays
from mailsacd.outbound.smtp.routing import Routing
from mailsacd.outbound.smtp.sts_policies import StsPolicies
from mailsacd.outbound.smtp.tls_policy import TlsPolicies


def make_relays(ground: Ground, dns: Dns) -> Relays:
    """What the section ``relay`` of the settings asks for. Raises ConfigurationError."""
    settings, reactor = ground.settings.relay, ground.reactor
    guard = Guard(dns, settings.allowed_networks, setting="relay.allowed_networks")
    contexts = tls_contexts(settings)
    sts = None
    if settings.mta_sts:
        fetcher = PolicyFetcher(guard, contexts.verifying, reactor, agent=f"mailsacd/{__version__}")
        sts = StsPolicies(dns, fetcher.fetch, reactor)
    own_names = {ground.hostname, *rules_of(ground.settings.domains, ground.hostname).mail_hosts}
    return Relays(
        Routing(settings, own_names, dns),
        TlsPolicies(settings, sts),
        Dialler(settings, ground.hostname, contexts, ground.lanes.rest, reactor),
        guard,
        reactor,
    )
