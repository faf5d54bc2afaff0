using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Documents;
using Gateway.Edge;
using Gateway.Settings;
using LiteDB;

namespace Gateway.Store;

/// <summary>The file of a LiteDB store: opening, checking and compacting it, and how documents stand in it.</summary>
internal static class LiteDbFile
{
    private const int Schema = 1;

    /// <summary>A file that is larger than this, and much larger than what is in it, is written anew at the start.</summary>
    private const long SmallFile = 8 * 1024 * 1024;

    public static LiteDatabase Open(string path)
    {
        PrivateFiles.Make(path);
        PrivateFiles.Make(LogOf(path));
        var database = new LiteDatabase(Connection(path));
        try
        {
            // A checkpoint of its own would come before the log is on the disk.
            database.CheckpointSize = 0;
            CheckSchema(path, database);
            var meta = database.GetCollection("meta");
            if (meta.FindById("schema") is null)
            {
                meta.Insert(new BsonDocument { ["_id"] = "schema", ["number"] = Schema });
            }

            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    public static void CheckSchema(string path, LiteDatabase database)
    {
        if (database.GetCollection("meta").FindById("schema") is { } schema)
        {
            if (schema["number"].AsInt32 > Schema)
            {
                throw new StoreException(
                    $"{path} was written by a newer gateway (schema {schema["number"].AsInt32}, this one knows {Schema}); run that "
                    + $"version, or restore a backup made before the upgrade");
            }
        }
        else if (database.GetCollectionNames().Any())
        {
            throw new StoreException($"{path} is a database of some other program; set server.data_path to a folder of the gateway's own");
        }
    }

    /// <summary>Rebuild fails (litedb #2827): what is in the file is copied into a new one, which takes its place.</summary>
    public static void CompactWhereItPays(string path)
    {
        var growing = path + ".compacting";
        DeleteWithLog(growing);
        if (!File.Exists(path) || new FileInfo(path).Length < SmallFile)
        {
            return;
        }

        List<Document> documents;
        using (var old = Open(path))
        {
            documents = Read(path, old);
            old.Checkpoint();
        }

        if (documents.Sum(one => (long)one.Json.Length) * 8 > new FileInfo(path).Length)
        {
            return;
        }

        using (var fresh = Open(growing))
        {
            fresh.GetCollection("document").InsertBulk(documents.Select(Write));
            fresh.GetCollection("document_key").InsertBulk(documents.SelectMany(one => one.Keys.Select(key =>
                new BsonDocument { ["_id"] = HashOf(key), ["document"] = HashOf(one.Id) })));
            fresh.Checkpoint();
        }

        // A log that stays behind would be put into whatever file has the name (litedb #2785).
        File.Delete(LogOf(path));
        File.Move(growing, path, overwrite: true);
        DeleteWithLog(growing);
    }

    public static List<Document> Read(string path, LiteDatabase database)
    {
        var documents = new List<Document>();
        foreach (var one in database.GetCollection("document").FindAll())
        {
            var document = new Document(
                one["id"].AsString, one["version"].AsInt64, one["json"].AsString, [.. one["keys"].AsArray.Select(key => key.AsString)]);
            if (one["sum"].AsString != SumOf(document))
            {
                throw new DamagedStoreException(
                    $"{path} is damaged (the document {OutsideText.Clean(document.Id, 100)} is not as it was written); restore the "
                    + $"latest backup with 'gateway restore FILE'");
            }

            documents.Add(document);
        }

        return documents;
    }

    public static BsonDocument Write(Document document) => new()
    {
        ["_id"] = HashOf(document.Id),
        ["id"] = document.Id,
        ["version"] = document.Version,
        ["json"] = document.Json,
        ["keys"] = new BsonArray(document.Keys.Select(one => new BsonValue(one))),
        ["sum"] = SumOf(document),
    };

    /// <summary>LiteDB compares texts by a culture, and takes keys of 1023 bytes at most; a hash in hex is neither.</summary>
    public static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string SumOf(Document document) =>
        HashOf(
            string.Create(CultureInfo.InvariantCulture,
                $"{document.Id}\n{document.Version}\n{document.Json}\n{string.Join('\n', document.Keys)}"));

    private static void DeleteWithLog(string path)
    {
        File.Delete(path);
        File.Delete(LogOf(path));
    }

    public static string Connection(string path) => $"Filename=\"{path}\";Connection=Direct";

    /// <summary>LiteDB's name for the log of a file.</summary>
    public static string LogOf(string path) =>
        Path.Combine(Path.GetDirectoryName(path) ?? "", $"{Path.GetFileNameWithoutExtension(path)}-log{Path.GetExtension(path)}");

    public static T Guarded<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (LiteException e)
        {
            throw new DamagedStoreException(
                $"{path} is damaged or no store ({e.Message}); restore the latest backup with 'gateway restore FILE'", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"{path}: {e.Message.TrimEnd('.')}; make room, or make the folder writable for the gateway", e);
        }
        catch (Exception e) when (e is InvalidCastException or NullReferenceException or ArgumentException
            or IndexOutOfRangeException or KeyNotFoundException or NotSupportedException)
        {
            // LiteDB meets damage with whatever happens (measured: half a page zeroed).
            throw new DamagedStoreException(
                $"{path} is damaged ({e.GetType().Name}); restore the latest backup with 'gateway restore FILE'", e);
        }
    }
}
