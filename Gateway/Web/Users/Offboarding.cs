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
    /// <summary>What is made while the rest ends is ended, too; so often, and no more.</summary>
    private const int MostPasses = 5;

    /// <summary>What the page of a person shows around them.</summary>
    /// <param name="owner">Their Headscale user, as long as it is still the one that was linked; null for none.</param>
    public static async Task<PersonSurroundings> AroundAsync(
        HttpContext context, HeadscaleCalls calls, Principal principal, Person person, HeadscaleUser? owner) => new(
            owner is null ? null : await MachinesOfAsync(context, calls, principal, owner.Id),
            IsFor(context, calls, principal),
            principal.Role.Has(Capability.ReadAudit)
                ? $"{PageResults.BasePath(context)}/audit?show=all&q={Uri.EscapeDataString(person.Label)}"
                : null);

    /// <summary>Whether somebody may do all of it.</summary>
    private static bool IsFor(HttpContext context, HeadscaleCalls calls, Principal principal) =>
        principal.Role.Has(Capability.AssignRoles) && calls.Can(context, principal, "nodes.expire", Ownership.Foreign)
        && calls.Can(context, principal, "keys.expire", Ownership.Foreign);

    /// <summary>The machines of a Headscale user; null for those who may not see everybody's, and where they are not known.</summary>
    private static async Task<IReadOnlyList<Machine>?> MachinesOfAsync(
        HttpContext context, HeadscaleCalls calls, Principal principal, string owner)
    {
        if (!principal.Role.Has(Capability.ReadMachines))
        {
            return null;
        }

        var answer = await calls.SendAsync(context, principal, Operation.ListNodes());
        return answer.IsDone ? Array.FindAll(Machine.AllIn(answer), one => one.OwnerId == owner) : null;
    }

    /// <summary>Signs the machines of a Headscale user out and expires the keys, until nothing new is found.</summary>
    /// <returns>What did not work; null when all did.</returns>
    public static async Task<string?> EndAsync(
        HttpContext context, HeadscaleCalls calls, Principal principal, string owner, HeadscaleVersion version, TimeProvider clock)
    {
        var ended = new HashSet<string>(StringComparer.Ordinal);
        for (var pass = 0; pass < MostPasses; pass++)
        {
            var (left, trouble) = await LeftAsync(context, calls, principal, owner, version, clock.GetUtcNow());
            var operations = left.Where(one => ended.Add(one.Thing)).Select(one => one.End).ToArray();
            if (trouble is not null || operations.Length == 0)
            {
                return trouble;
            }

            foreach (var operation in operations)
            {
                var answer = await calls.SendAsync(context, principal, operation);
                if (!answer.IsDone)
                {
                    return PageResults.ComplaintOf(principal, answer);
                }
            }
        }

        return T("New devices or keys of theirs kept coming");
    }

    /// <summary>What still counts of a Headscale user, with what ends it; or why that is not known.</summary>
    private static async Task<((string Thing, Operation End)[] Left, string? Trouble)> LeftAsync(
        HttpContext context, HeadscaleCalls calls, Principal principal, string owner, HeadscaleVersion version, DateTimeOffset now)
    {
        if (await MachinesOfAsync(context, calls, principal, owner) is not { } machines)
        {
            return ([], T("Their devices could not be looked up"));
        }

        var answer = await calls.SendAsync(context, principal, Operation.ListKeys(version, owner));
        if (!answer.IsDone)
        {
            return ([], T("Their keys could not be looked up"));
        }

        using var json = answer.Parse();
        var keys = json.RootElement.GetProperty("preAuthKeys").EnumerateArray().Select(PreAuthKey.Of)
            .Where(one => one.OwnerId == owner && one.StatusAt(now) == "valid");
        return (
            [.. machines.Where(one => one.StatusAt(now) != "expired").Select(one => ($"node {one.Id}", Operation.ExpireNode(one.Id))),
                .. keys.Select(one => ($"key {one.Id} {one.Key}", Operation.ExpireKey(version, one.Id, owner, one.Key)))],
            null);
    }
}
