using System.Net;
using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Headscale.AccessRules;
using Gateway.Policy;
using Gateway.Settings;
using Gateway.Users;
using Gateway.Web.Machines;

namespace Gateway.Web.PolicyDocument;

/// <summary>Everybody and everything that a policy is about.</summary>
/// <param name="Users">Headscale's users.</param>
/// <param name="Nodes">The devices.</param>
internal sealed record Tailnet(IReadOnlyList<HeadscaleUser> Users, IReadOnlyList<PolicyNode> Nodes)
{
    /// <summary>Reads them; null where the reader may not see all of them, or Headscale does not say.</summary>
    /// <param name="withNodes">Whether devices are needed; names of people are there in any case.</param>
    public static async Task<Tailnet?> ReadAsync(
        HttpContext context, Principal principal, HeadscaleCalls calls, UserDirectory directory, bool withNodes)
    {
        if (!principal.Role.Has(Capability.ReadMachines) || !principal.Role.Has(Capability.ReadUsers))
        {
            return null;
        }

        try
        {
            var users = (await directory.GetRecentAsync(context.RequestAborted)).Users;
            return !withNodes ? new(users, [])
                : await calls.SendAsync(context, principal, Operation.ListNodes()) is { IsDone: true } answer
                    ? new(users, [.. Machine.AllIn(answer).Select(NodeOf)]) : null;
        }
        catch (HeadscaleException)
        {
            return null;
        }
    }

    private static PolicyNode NodeOf(Machine machine) => new(
        machine.Id, machine.Name, machine.OwnerId, machine.Tags,
        [.. machine.Addresses.Select(one => AddressText.Parse(one)).OfType<IPAddress>()],
        [.. machine.ApprovedRoutes.Select(TailnetPolicy.NetworkOf).OfType<IPNetwork>()]);
}
