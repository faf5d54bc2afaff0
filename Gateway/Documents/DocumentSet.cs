using Gateway.Settings;

namespace Gateway.Documents;

/// <summary>
/// All state in memory. Reading takes no I/O. A change is decided on what is in memory, committed, and then in effect; when
/// another process was faster, it is decided anew.
/// </summary>
internal sealed partial class DocumentSet(IDocumentStore store, TimeProvider clock, ILogger<DocumentSet> log) : BackgroundService
{
    private const int MostTries = 50;

    /// <summary>How long the state counts that could not be compared with the store's: enough for a failover.</summary>
    private static readonly TimeSpan _longestStale = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<string, DocumentCollection> _collections = new(StringComparer.Ordinal);
    private readonly DocumentCollection<Counter> _counters = NewCounters();
    private long _position;
    private long _compared = clock.GetTimestamp();
    private volatile string? _trouble;
    private bool _isUncertain;

    /// <summary>Why the store cannot be asked; null while it can.</summary>
    public string? Trouble => _trouble;

    public static DocumentCollection<Counter> NewCounters() => new(Counter.Kind, CounterJson.Default.Counter, one => one.Of, _ => []);

    /// <summary>Every kind of document. Each is named before <see cref="LoadAsync"/>.</summary>
    public DocumentCollection<T> Add<T>(DocumentCollection<T> collection)
        where T : class
    {
        _collections.Add(collection.Kind, collection);
        return collection;
    }

    /// <summary>Reads everything, once.</summary>
    /// <exception cref="StoreException">The store cannot be read, or holds what is not understood.</exception>
    public async Task LoadAsync(CancellationToken cancel)
    {
        _collections.TryAdd(_counters.Kind, _counters);
        var contents = await store.LoadAsync(cancel);
        Apply(contents.Documents, [], isWhole: true);
        (_position, _compared) = (contents.Position, clock.GetTimestamp());
    }

    /// <summary>
    /// Decides and commits a change. <paramref name="decide"/> sees the state of this moment, adds to the batch what is to be
    /// stored, and gives what the change came to; it is called again when another process changed the same meanwhile.
    /// </summary>
    /// <exception cref="StoreException">It could not be stored; nothing was changed.</exception>
    public async Task<T> ChangeAsync<T>(Func<DocumentBatch, T> decide, CancellationToken cancel = default)
    {
        await _gate.WaitAsync(cancel);
        try
        {
            for (var tries = 0; tries < MostTries; tries++)
            {
                if (_isUncertain)
                {
                    await CatchUpAsync(cancel);
                }

                var batch = new DocumentBatch(_counters);
                var result = decide(batch);
                if (batch.Changes is not { Count: > 0 } changes)
                {
                    return result;
                }

                if (await CommitAsync(changes) is CommitOutcome.Done)
                {
                    Apply(changes);
                    return result;
                }

                await CatchUpAsync(cancel);
            }

            throw new StoreException($"{store.Name}: others changed the same thing {MostTries} times in a row; please try again");
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Everything in the store as it is written there.</summary>
    public async Task<IReadOnlyList<Document>> ExportAsync(CancellationToken cancel)
    {
        await _gate.WaitAsync(cancel);
        try
        {
            return (await store.LoadAsync(cancel)).Documents;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// Puts other documents in the place of everything but what is kept, at one moment. What takes its place is whole: see <see
    /// cref="Complaint"/>.
    /// </summary>
    /// <param name="isKept">Which of the present documents stay although the others do not have them.</param>
    /// <exception cref="StoreException">It could not be stored; nothing was changed.</exception>
    public async Task ReplaceAsync(IReadOnlyList<Document> documents, Func<Document, bool> isKept, CancellationToken cancel)
    {
        await _gate.WaitAsync(cancel);
        try
        {
            var versions = documents.ToDictionary(one => one.Id, _ => 0L, StringComparer.Ordinal);
            var changes = new List<DocumentChange>();
            foreach (var present in (await store.LoadAsync(cancel)).Documents)
            {
                if (versions.ContainsKey(present.Id))
                {
                    versions[present.Id] = present.Version;
                }
                else if (!isKept(present))
                {
                    changes.Add(new(present.Id, present.Version, null, []));
                }
            }

            changes.AddRange(documents.Select(one => new DocumentChange(one.Id, versions[one.Id], one.Json, one.Keys)));
            if (await CommitAsync(changes) is not CommitOutcome.Done)
            {
                throw new StoreException($"{store.Name} was changed at the same moment; nothing was replaced, please try again");
            }

            Apply(changes);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>What is wrong with documents that came from elsewhere; null when nothing is.</summary>
    public string? Complaint(IReadOnlyList<Document> documents)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var document in documents)
        {
            if (!_collections.TryGetValue(document.Kind, out var collection))
            {
                return $"there is a document {document.Id}, of a kind that this gateway does not know";
            }

            if (collection.Complaint(document) is { } complaint)
            {
                return complaint;
            }

            if (document.Keys.FirstOrDefault(key => !keys.Add(key)) is { } twice)
            {
                return $"two documents have the key '{OutsideText.Clean(twice, 100)}'";
            }
        }

        return null;
    }

    /// <summary>Fails when the store could not be asked for so long that what is in memory may be another's past.</summary>
    /// <exception cref="StoreException">It is so.</exception>
    public void EnsureFresh()
    {
        if (store.IsShared && _trouble is { } trouble && clock.GetElapsedTime(Volatile.Read(ref _compared)) > _longestStale)
        {
            throw new StoreException($"the store could not be asked for more than {_longestStale.TotalMinutes} minutes: {trouble}");
        }
    }

    public override void Dispose()
    {
        _gate.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (store.IsShared && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                await store.WaitForOthersAsync(_position, stoppingToken);
                await _gate.WaitAsync(stoppingToken);
                try
                {
                    await CatchUpAsync(stoppingToken);
                }
                finally
                {
                    _gate.Release();
                }

                if (_trouble is not null)
                {
                    _trouble = null;
                    LogBack(store.Name);
                }
            }
            catch (StoreException e)
            {
                if (_trouble is null)
                {
                    LogUnreadable(e.Message, _longestStale.TotalMinutes);
                }

                _trouble = e.Message;
                await Task.Delay(_pause, clock, stoppingToken);
            }
        }
    }

    private async Task<CommitOutcome> CommitAsync(IReadOnlyList<DocumentChange> changes)
    {
        try
        {
            var outcome = await store.CommitAsync(changes, CancellationToken.None);
            _trouble = store.IsShared ? _trouble : null;
            return outcome;
        }
        catch (StoreException e) when (!store.IsShared)
        {
            (_trouble, _isUncertain) = (e.Message, true);
            throw;
        }
    }

    private async Task CatchUpAsync(CancellationToken cancel)
    {
        if (!store.IsShared)
        {
            // What failed may have been stored all the same.
            Apply((await store.LoadAsync(cancel)).Documents, [], isWhole: true);
            _isUncertain = false;
            return;
        }

        var changes = await store.ReadChangesAsync(_position, cancel);
        Apply(changes.Changed, changes.Removed, changes.IsWhole);
        _position = changes.Position;
        Volatile.Write(ref _compared, clock.GetTimestamp());
    }

    /// <summary>What was committed is in effect.</summary>
    private void Apply(IReadOnlyList<DocumentChange> changes) => Apply(
        changes.Select(one => one.Result).OfType<Document>(), changes.Where(one => one.Json is null).Select(one => one.Id), isWhole: false);

    private void Apply(IEnumerable<Document> changed, IEnumerable<string> removed, bool isWhole)
    {
        var (changedOf, removedOf) = (changed.ToLookup(one => one.Kind), removed.ToLookup(Document.KindOf));
        if (changedOf.FirstOrDefault(one => !_collections.ContainsKey(one.Key)) is { } unknown)
        {
            throw new StoreException(
                $"{store.Name} holds documents of the kind '{unknown.Key}', which this gateway does not know; run the version that "
                + $"wrote them");
        }

        foreach (var (kind, collection) in _collections)
        {
            if (isWhole || changedOf.Contains(kind) || removedOf.Contains(kind))
            {
                collection.Apply(changedOf[kind], removedOf[kind], isWhole);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The store cannot be asked: {Cause}. Reading goes on with what is known, for at most {Minutes} "
        + "minutes; changes are refused")]
    private partial void LogUnreadable(string cause, double minutes);

    [LoggerMessage(2, LogLevel.Information, "{Store} can be asked again")]
    private partial void LogBack(string store);
}
