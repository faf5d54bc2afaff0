using Gateway.Settings;

namespace Gateway.Store;

/// <summary>
/// An embedded store belongs to one process: whoever holds its lock file. The system lets go when the process ends, however it ends.
/// </summary>
internal sealed class StoreLock : IDisposable
{
    private readonly FileStream _file;

    private StoreLock(FileStream file) => _file = file;

    /// <summary>Takes the lock of a store.</summary>
    /// <param name="store">The store's file.</param>
    /// <exception cref="StoreException">Another process has it.</exception>
    public static StoreLock Take(string store)
    {
        var path = store + ".lock";
        try
        {
            PrivateFiles.MakeFolderOf(path);
            return new StoreLock(new FileStream(path, PrivateFiles.Options(FileMode.OpenOrCreate, FileShare.None)));
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException) && File.Exists(path))
        {
            throw new StoreException(
                $"another gateway uses {store}; an embedded store belongs to one process. Stop that one, or set store.kind to postgres "
                + $"for several", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                $"{path}: {e.Message.TrimEnd('.')}; make the folder writable for the gateway or set server.data_path", e);
        }
    }

    public void Dispose() => _file.Dispose();
}
