using Gateway.Forwarding;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Users;
using Gateway.Web.Keys;
using Gateway.Web.Layout;
using Gateway.Web.Machines;
using static Gateway.Web.Layout.Texts;

namespace Gateway.Web.Users;

/// <summary>What belongs to a person besides the gateway's own.</summary>
/// <param name="Machines">Their machines; null where the reader sees none, or none are known now.</param>
/// <param name="MayOffboard">Whether the reader may end all of it.</param>
/// <param name="Activity">Where what they did is listed; null for who may not read it.</param>
public sealed record PersonSurroundings(IReadOnlyList<Machine>? Machines, bool MayOffboard, string? Activity);

/// <summary>What ends at Headscale when somebody leaves: each call is judged and recorded, all under one reference.</summary>
internal static class Offboarding
{
    /// <summary>What the page of a person shows around them.</summary>
    public static async Task<PersonSurroundings> AroundAsync(
        HttpContext context, HeadscaleCalls calls, Principal principal, Person person) => new(
            await MachinesOfAsync(context, calls, principal, person),
            IsFor(context, calls, principal),
            principal.Role.Has(Capability.ReadAudit)
                ? $"{PageResults.BasePath(context)}/audit?show=all&q={Uri.EscapeDataString(person.Label)}"
                : null);

    /// <summary>Whether somebody may do all of it.</summary>
    private static bool IsFor(HttpContext context, HeadscaleCalls calls, Principal principal) =>
        principal.Role.Has(Capability.AssignRoles) && calls.Can(context, principal, "nodes.expire", Ownership.Foreign)
        && calls.Can(context, principal, "keys.expire", Ownership.Foreign);

    /// <summary>The machines of a person, for those who may see everybody's; null for others, and where they are not known now.</summary>
    private static async Task<IReadOnlyList<Machine>?> MachinesOfAsync(
        HttpContext context, HeadscaleCalls calls, Principal principal, Person person)
    {
        if (person.Link is not { HeadscaleUserId: var owner } || !principal.Role.Has(Capability.ReadMachines))
        {
            return null;
        }

        var answer = await calls.SendAsync(context, principal, Operation.ListNodes());
        return answer.IsDone ? Array.FindAll(Machine.AllIn(answer), one => one.OwnerId == owner) : null;
    }

    /// <summary>Signs their machines out and expires their keys.</summary>
    /// <returns>What did not work; null when all did.</returns>
    public static async Task<string?> EndAsync(
        HttpContext context, HeadscaleCalls calls, Principal principal, Person person, HeadscaleVersion version, DateTimeOffset now)
    {
        if (person.Link is not { HeadscaleUserId: var owner })
        {
            return null;
        }

        if (await MachinesOfAsync(context, calls, principal, person) is not { } machines)
        {
            return T("Their devices could not be looked up");
        }

        var operations = machines.Select(one => Operation.ExpireNode(one.Id)).ToList();
        var keys = await calls.SendAsync(context, principal, Operation.ListKeys(version, owner));
        if (!keys.IsDone)
        {
            return T("Their keys could not be looked up");
        }

        using (var json = keys.Parse())
        {
            operations.AddRange(json.RootElement.GetProperty("preAuthKeys").EnumerateArray().Select(PreAuthKey.Of)
                .Where(one => one.OwnerId == owner && one.StatusAt(now) == "valid")
                .Select(one => Operation.ExpireKey(version, one.Id, owner, one.Key)));
        }

        foreach (var operation in operations)
        {
            var answer = await calls.SendAsync(context, principal, operation);
            if (!answer.IsDone)
            {
                return PageResults.ComplaintOf(principal, answer);
            }
        }

        return null;
    }
}
