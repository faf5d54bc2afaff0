using System.Collections.Frozen;

namespace Gateway.Headscale;

/// <summary>Headscale's users at one moment.</summary>
internal sealed class UserSnapshot(IReadOnlyList<HeadscaleUser> users)
{
    private readonly FrozenDictionary<string, HeadscaleUser> _byId = users.GroupBy(user => user.Id)
        .ToFrozenDictionary(same => same.Key, same => same.First());

    private readonly FrozenDictionary<string, int> _names = users.GroupBy(user => user.Name)
        .ToFrozenDictionary(same => same.Key, same => same.Count());

    public IReadOnlyList<HeadscaleUser> Users => users;

    /// <summary>Whether exactly one user has this name, which Headscale does not promise.</summary>
    public bool IsUnique(string name) => _names.GetValueOrDefault(name) == 1;

    public HeadscaleUser? Find(string id) => _byId.GetValueOrDefault(id);
}

/// <summary>
/// Headscale's users in memory. While anybody asks, they are fetched anew every few seconds in the background, so that a
/// request waits for Headscale only after a pause or after a change.
/// </summary>
internal sealed class UserDirectory(HeadscaleClient client, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan _refresh = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _recent = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _usable = TimeSpan.FromSeconds(15);

    private readonly Lock _gate = new();
    private Task<UserSnapshot>? _fetching;
    private volatile Entry? _entry;
    private volatile bool _wasUsed;
    private long _generation;

    /// <summary>The users, at most some seconds old.</summary>
    /// <exception cref="HeadscaleException">They could not be fetched.</exception>
    public ValueTask<UserSnapshot> GetAsync(CancellationToken cancel)
    {
        _wasUsed = true;
        return _entry is { } entry && clock.GetElapsedTime(entry.At) < _usable
            ? new(entry.Snapshot)
            : new(FetchOnceAsync().WaitAsync(cancel));
    }

    /// <summary>The users, younger than those that were known a moment ago: for whoever is linked to none of these.</summary>
    /// <exception cref="HeadscaleException">They could not be fetched.</exception>
    public ValueTask<UserSnapshot> GetRecentAsync(CancellationToken cancel)
    {
        _wasUsed = true;
        return _entry is { } entry && clock.GetElapsedTime(entry.At) < _recent
            ? new(entry.Snapshot)
            : new(FetchOnceAsync().WaitAsync(cancel));
    }

    /// <summary>Something may have changed at Headscale: the next reader fetches.</summary>
    public void Invalidate()
    {
        lock (_gate)
        {
            _generation++;
            (_entry, _fetching) = (null, null);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_refresh, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (_wasUsed)
            {
                _wasUsed = false;
                try
                {
                    await FetchOnceAsync().WaitAsync(stoppingToken);
                }
                catch (HeadscaleException)
                {
                    // The watch reports it; readers go on with what is left of the old snapshot.
                }
            }
        }
    }

    /// <summary>Everybody who needs the users at the same time waits for the same call.</summary>
    private Task<UserSnapshot> FetchOnceAsync()
    {
        lock (_gate)
        {
            return _fetching is { IsCompleted: false } running ? running : _fetching = FetchAsync();
        }
    }

    private async Task<UserSnapshot> FetchAsync()
    {
        var (started, generation) = (clock.GetTimestamp(), Volatile.Read(ref _generation));
        var snapshot = new UserSnapshot(await client.ListUsersAsync(CancellationToken.None));
        lock (_gate)
        {
            // An answer from before a change is good for those who waited for it, and for nobody else.
            if (_generation == generation)
            {
                _entry = new Entry(snapshot, started);
            }
        }

        return snapshot;
    }

    private sealed record Entry(UserSnapshot Snapshot, long At);
}
