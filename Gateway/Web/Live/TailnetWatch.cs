using Gateway.Headscale;

namespace Gateway.Web.Live;

/// <summary>Whether anything that pages show of machines has changed. However many ask, Headscale is asked once in a while.</summary>
internal sealed class TailnetWatch(HeadscaleClient client, TimeProvider clock) : IDisposable
{
    /// <summary>How old an answer may be.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    private readonly SemaphoreSlim _asking = new(1);
    private long _askedAt;
    private string _mark = "";

    /// <summary>Differs from the last one when something changed. What keeps Headscale from answering is a change as well.</summary>
    public async Task<string> MarkAsync(CancellationToken cancel)
    {
        await _asking.WaitAsync(cancel);
        try
        {
            if (_askedAt == 0 || clock.GetElapsedTime(_askedAt) >= Interval)
            {
                _mark = await AskAsync(cancel);
                _askedAt = clock.GetTimestamp();
            }

            return _mark;
        }
        finally
        {
            _asking.Release();
        }
    }

    public void Dispose() => _asking.Dispose();

    private async Task<string> AskAsync(CancellationToken cancel)
    {
        try
        {
            var mark = default(HashCode);
            foreach (var node in await client.ListNodesAsync(cancel))
            {
                mark.Add(node.Id);
                mark.Add(node.GivenName);
                mark.Add(node.Online);
                mark.Add(node.Expiry);
                mark.Add(node.User?.Id);
                string[][] words = [[.. node.AvailableRoutes ?? []], [.. node.ApprovedRoutes ?? []], [.. node.Tags ?? []]];
                foreach (var word in words.SelectMany(one => one.Append("/")))
                {
                    mark.Add(word);
                }
            }

            return $"{mark.ToHashCode()}";
        }
        catch (HeadscaleException e)
        {
            return $"{e.Reason}";
        }
    }
}
