using System.Collections.Frozen;
using Gateway.Identity;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Users;

/// <summary>Everyone at one moment.</summary>
internal sealed class PeopleSnapshot(long generation, IReadOnlyList<Person> everyone)
{
    private readonly FrozenDictionary<(Source, string, string), Person> _byIdentity =
        everyone.ToFrozenDictionary(one => (one.Source, one.Issuer, one.Subject));

    private readonly FrozenDictionary<long, Person> _byId = everyone.ToFrozenDictionary(one => one.Id);

    private readonly FrozenDictionary<string, long> _claims = everyone.Where(one => one.Link is not null)
        .ToFrozenDictionary(one => one.Link!.HeadscaleUserId, one => one.Id, StringComparer.Ordinal);

    public long Generation => generation;

    public IReadOnlyList<Person> Everyone => everyone;

    public bool HasOwner { get; } = everyone.Any(one => one.Role == Role.OwnerName);

    /// <summary>Whether somebody else is linked to this Headscale user.</summary>
    public bool IsClaimed(string headscaleUserId, Person except) => _claims.TryGetValue(headscaleUserId, out var holder) && holder != except.Id;

    public Person? Find(long id) => _byId.GetValueOrDefault(id);

    public Person? Find(Source source, string issuer, string subject) => _byIdentity.GetValueOrDefault((source, issuer, subject));
}

/// <summary>The people in memory. The store is asked once a second whether another process changed something.</summary>
internal sealed partial class People(IPersonStore store, TimeProvider clock, ILogger<People> log) : BackgroundService
{
    private static readonly TimeSpan _poll = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private volatile PeopleSnapshot? _snapshot;

    public PeopleSnapshot Snapshot => _snapshot ?? Reload();

    public IPersonStore Store => store;

    /// <summary>Reads everyone anew; called after every change of our own.</summary>
    public PeopleSnapshot Reload()
    {
        var (generation, everyone) = store.List();
        lock (_gate)
        {
            // A slower read of an older state never replaces a newer one.
            if (_snapshot is not { } current || generation >= current.Generation)
            {
                _snapshot = new PeopleSnapshot(generation, everyone);
            }

            return _snapshot!;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_poll, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (store.Generation() != Snapshot.Generation)
                {
                    Reload();
                }
            }
            catch (StoreException e)
            {
                LogUnreadable(e.Message);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The store cannot be read: {Cause}")]
    private partial void LogUnreadable(string cause);
}
