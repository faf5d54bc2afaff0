using System.Collections.Concurrent;
using Gateway.Audit;
using Gateway.Headscale;

namespace Gateway.Web.Live;

/// <summary>Whether anything that open pages show has changed.</summary>
internal sealed class Changes : IDisposable
{
    private static readonly AuditSearch _changes = new() { ChangesOnly = true };

    /// <summary>How many pages one person keeps open, and a few more.</summary>
    private const int MostPerReader = 20;

    private readonly ConcurrentDictionary<string, int> _followers = new(StringComparer.Ordinal);
    private readonly HeadscaleClient _client;
    private readonly AuditReader _audit;

    public Changes(HeadscaleClient client, AuditReader audit, TimeProvider clock)
    {
        (_client, _audit) = (client, audit);
        (Devices, Activity) = (new(MarkDevicesAsync, clock), new(MarkActivityAsync, clock));
    }

    /// <summary>Of the machines. What keeps Headscale from answering is a change as well.</summary>
    public SharedMark Devices { get; }

    /// <summary>Of what was changed and who signed in.</summary>
    public SharedMark Activity { get; }

    /// <summary>Counts one more page that follows; false when its reader has too many.</summary>
    public bool TryFollow(string reader)
    {
        if (_followers.AddOrUpdate(reader, 1, (_, open) => open + 1) <= MostPerReader)
        {
            return true;
        }

        Leave(reader);
        return false;
    }

    /// <summary>A page was closed.</summary>
    public void Leave(string reader)
    {
        if (_followers.AddOrUpdate(reader, 0, (_, open) => open - 1) <= 0)
        {
            _followers.TryRemove(new(reader, 0));
        }
    }

    public void Dispose()
    {
        Devices.Dispose();
        Activity.Dispose();
    }

    private async Task<string> MarkDevicesAsync(CancellationToken cancel)
    {
        try
        {
            var mark = default(HashCode);
            foreach (var node in await _client.ListNodesAsync(cancel))
            {
                mark.Add((node.Id, node.GivenName, node.Online, node.Expiry, node.User?.Id));
                foreach (var words in new[] { node.AvailableRoutes, node.ApprovedRoutes, node.Tags })
                {
                    mark.Add(words?.Count);
                    foreach (var word in words ?? [])
                    {
                        mark.Add(word);
                    }
                }
            }

            return $"{mark.ToHashCode()}";
        }
        catch (HeadscaleException e)
        {
            return $"{e.Reason}";
        }
    }

    private async Task<string> MarkActivityAsync(CancellationToken cancel) =>
        await _audit.FindAsync(_changes, null, 1, cancel) is [var newest, ..] ? $"{newest.Id}" : "none";
}
