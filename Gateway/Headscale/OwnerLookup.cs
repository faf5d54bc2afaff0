using System.Collections.Concurrent;
using System.Collections.Frozen;
using Gateway.Policy;

namespace Gateway.Headscale;

/// <summary>
/// Asks Headscale who owns what a call names. The request's own word on it is never taken. Reads may rest on an answer that
/// is some seconds old; a call that changes something asks anew, right before it is sent.
/// </summary>
internal sealed class OwnerLookup(HeadscaleClient client, TimeProvider clock)
{
    private const int MostNodes = 4096;
    private static readonly TimeSpan _usable = TimeSpan.FromSeconds(3);

    /// <summary>Replaced as a whole: what was asked before a change is then remembered where nobody looks.</summary>
    private volatile ConcurrentDictionary<string, (HeadscaleNode? Node, long At)> _nodes = new();

    /// <summary>Something may have changed at Headscale.</summary>
    public void Invalidate() => _nodes = new();

    /// <exception cref="HeadscaleException">Headscale did not say.</exception>
    public Task<Ownership> FindAsync(OwnScope scope, Call call, string userId, HeadscaleVersion version, CancellationToken cancel) =>
        scope switch
        {
            OwnScope.None or OwnScope.List or OwnScope.UserId or OwnScope.UserName => Task.FromResult(Ownership.Unknown),
            OwnScope.Node => OfNodeAsync(call, userId, version, cancel),
            OwnScope.Key => OfKeyAsync(call, userId, version, cancel),
        };

    /// <summary>A node that was looked up a moment ago; null when it was not.</summary>
    public HeadscaleNode? RecentNode(string id) =>
        _nodes.TryGetValue(id, out var known) && clock.GetElapsedTime(known.At) <= _usable ? known.Node : null;

    /// <summary>The ids of all nodes that a user owns.</summary>
    /// <exception cref="HeadscaleException">Headscale did not say.</exception>
    public async Task<IReadOnlySet<string>> NodesOfAsync(string userId, CancellationToken cancel) =>
        (await client.ListNodesAsync(cancel)).Where(node => node.OwnerId == userId).Select(node => node.Id)
            .ToFrozenSet(StringComparer.Ordinal);

    private async Task<Ownership> OfNodeAsync(Call call, string userId, HeadscaleVersion version, CancellationToken cancel)
    {
        var (nodes, id) = (_nodes, call.Path["nodeId"]);
        if (!call.IsSafe || !nodes.TryGetValue(id, out var known) || clock.GetElapsedTime(known.At) > _usable)
        {
            known = (await client.FindNodeAsync(id, version, cancel), clock.GetTimestamp());
            if (nodes.Count >= MostNodes)
            {
                nodes.Clear();
            }

            nodes[id] = known;
        }

        return known.Node?.OwnerId == userId ? Ownership.Own : Ownership.Foreign;
    }

    private async Task<Ownership> OfKeyAsync(Call call, string userId, HeadscaleVersion version, CancellationToken cancel)
    {
        if (!version.HasTagOwnership && call.Text("user") != userId)
        {
            return Ownership.Foreign;
        }

        var keys = await client.ListKeysAsync(userId, version, cancel);
        var key = version.HasTagOwnership
            ? keys.FirstOrDefault(one => one.Id == call.Text("id"))
            : keys.FirstOrDefault(one => one.Key.Length > 0 && one.Key == call.Text("key"));
        return key?.OwnerId == userId ? Ownership.Own : Ownership.Foreign;
    }
}
